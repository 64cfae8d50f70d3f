"""Residuals of a network on points as a least-squares problem: training sets, Jacobians, averages."""
