"""Training: assembly of residuals, the loop, and the two recipes pretrain and finetune."""

from pinnkan.training.recipe import finetune, generator_for, network_for, plan_for, pretrain
from pinnkan.training.refinement import refined
from pinnkan.training.run import Run, Trained, TrainingState

__all__ = [
    "Run",
    "Trained",
    "TrainingState",
    "finetune",
    "generator_for",
    "network_for",
    "plan_for",
    "pretrain",
    "refined",
]
