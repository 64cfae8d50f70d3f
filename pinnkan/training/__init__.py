"""Training: assembly of residuals, the loop, and the two recipes pretrain and finetune."""

from pinnkan.training.adapters import plan_for
from pinnkan.training.network import network_for
from pinnkan.training.recipe import coefficient_shapes, finetune, generator_for, pretrain
from pinnkan.training.refinement import refined
from pinnkan.training.task import Trained, TrainingState, TrainingTask

__all__ = [
    "Trained",
    "TrainingState",
    "TrainingTask",
    "coefficient_shapes",
    "finetune",
    "generator_for",
    "network_for",
    "plan_for",
    "pretrain",
    "refined",
]
