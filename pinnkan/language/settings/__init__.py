"""The settings of network, adapter, points and training: blocks of the file, their keys and defaults."""
