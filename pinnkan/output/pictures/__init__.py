"""Pictures: arrays in, file out."""
