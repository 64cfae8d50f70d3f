"""Pictures and exports: arrays in, file out.

Import from the modules: a table needs no matplotlib, a picture no meshio.
"""
