"""Random features: a hidden layer that is drawn and kept, of which the last layer alone is solved for.

Neuron n is tanh(s_n d_n . (z - c_n)) of the inputs z in [-1, 1]^I: a direction d_n uniform on the sphere, a
centre c_n uniform in the box, where it changes sign, and a slope s_n uniform in [0, bandwidth], so that there
are neurons of every width down to 2 / bandwidth anywhere. A linear equation is one linear least-squares
problem in what is left.

Sources: Huang, Zhu, Siew, Neurocomputing 70 (2006), extreme learning machines; Dwivedi and Srinivasan,
Neurocomputing 391 (2020), for differential equations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from pinnkan.networks.input_map import InputMap
from pinnkan.networks.layers import DenseLayer
from pinnkan.networks.network import Network


@dataclass(frozen=True)
class RandomLayer(DenseLayer):
    """The arguments of the neurons: s_n d_n in the rows of the inputs, -s_n d_n . c_n in that of the bias.

    Attributes:
        bandwidth: Largest slope, over half the width of the box.
    """

    bandwidth: float

    def initial(self, generator: torch.Generator) -> Tensor:
        """Draw them."""

        def normal(*shape: int) -> Tensor:
            return torch.randn(*shape, generator=generator, dtype=torch.float64)

        def uniform(*shape: int) -> Tensor:
            return torch.rand(*shape, generator=generator, dtype=torch.float64)

        directions = normal(self.inputs, self.outputs)
        weights = self.bandwidth * uniform(self.outputs) * directions / directions.norm(dim=0)
        centres = 2.0 * uniform(self.inputs, self.outputs) - 1.0
        return torch.cat([weights, -(weights * centres).sum(dim=0, keepdim=True)])


def make_random(widths: Sequence[int], input_map: InputMap, *, bandwidth: float) -> Network:
    """Build a network of random features; arguments as in `make_kan`, and the largest slope."""
    (inputs, hidden), *more = pairwise(widths)
    layers = [DenseLayer(neurons, outputs, squash=True) for neurons, outputs in more]
    return Network((RandomLayer(inputs, hidden, squash=False, bandwidth=bandwidth), *layers), input_map)
