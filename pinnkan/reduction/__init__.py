"""Reduced basis over adapters: any parameter value of a family from a few trained ones."""

from pinnkan.reduction.ansatz import FamilyAnsatz
from pinnkan.reduction.basis import network_jets, values_of
from pinnkan.reduction.calibration import Sample, factor_of, leave_one_out, predicted
from pinnkan.reduction.model import Basis, Reduced, ReducedModel
from pinnkan.reduction.norm import field_root, largest_relative, stacked
from pinnkan.reduction.online import OnlineBlock, OnlinePoints, online_points
from pinnkan.reduction.ranges import Range, named, outside, read_ranges, rows_of, shares, training_set
from pinnkan.reduction.single import network_residual, network_solution
from pinnkan.reduction.snapshots import Snapshots
from pinnkan.reduction.thinning import thinned

__all__ = [
    "Basis",
    "FamilyAnsatz",
    "OnlineBlock",
    "OnlinePoints",
    "Range",
    "Reduced",
    "ReducedModel",
    "Sample",
    "Snapshots",
    "factor_of",
    "field_root",
    "largest_relative",
    "leave_one_out",
    "named",
    "network_jets",
    "network_residual",
    "network_solution",
    "online_points",
    "outside",
    "predicted",
    "read_ranges",
    "rows_of",
    "shares",
    "stacked",
    "thinned",
    "training_set",
    "values_of",
]
