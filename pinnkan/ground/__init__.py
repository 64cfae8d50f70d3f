"""What every wing stands on: faults, progress, the machine, multi-indices, whole files."""
