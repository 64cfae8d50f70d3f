"""Training: assembly of residuals, the loop, and the two recipes pretrain and finetune."""

from pinnkan.training.recipe import (
    Run,
    Trained,
    finetune,
    generator_for,
    network_for,
    plan_for,
    pretrain,
)

__all__ = ["Run", "Trained", "finetune", "generator_for", "network_for", "plan_for", "pretrain"]
