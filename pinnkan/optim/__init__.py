"""Optimizers of nonlinear least squares: Levenberg-Marquardt, L-BFGS, Adam."""

from pinnkan.optim.adam import Adam
from pinnkan.optim.lbfgs import LBFGS
from pinnkan.optim.least_squares import LeastSquares, Linearisation, symmetric_product
from pinnkan.optim.levenberg_marquardt import LevenbergMarquardt
from pinnkan.optim.optimizer import Optimizer, OptimizerState, Step

__all__ = [
    "LBFGS",
    "Adam",
    "LeastSquares",
    "LevenbergMarquardt",
    "Linearisation",
    "Optimizer",
    "OptimizerState",
    "Step",
    "symmetric_product",
]
