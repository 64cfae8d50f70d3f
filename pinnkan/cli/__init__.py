"""The command line: options in, tables out; the work is in ``pinnkan.workflows``.

torch, SymPy, NumPy and Matplotlib are imported inside the commands, so that
``--help`` answers at once.
"""
