"""Trainings of many parameter values: in this process, in worker processes, on a cluster."""
