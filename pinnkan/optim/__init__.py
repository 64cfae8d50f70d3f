"""Optimizers of nonlinear least squares: Levenberg-Marquardt, L-BFGS, Adam; `kinds` is their table."""
