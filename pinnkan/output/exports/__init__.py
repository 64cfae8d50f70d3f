"""Files for other programs: arrays in, file out."""
