"""Two-layer networks on the samples of a task, trained on a split: what beside RFM is compared.

A network without biases has n scores for a pair, f(a, b) = Vᵀ φ(A[a] + B[b]), one row of A and of
B for each group element and one column for each of h neurons. In the notation of chapter 04 this
is Vᵀ φ(Uᵀ x), where U holds A above B, and U Uᵀ, (2n, 2n), is the feature matrix. Here U is what
is often written Wᵀ. All is computed in float64: on the axis of a mirror exact zeros are to be told
from small numbers, as with kernels.
"""

from rfm.networks.activations import Activation, ReLU, Square
from rfm.networks.record import Training
from rfm.networks.starts import Mirrored, Paired, Random, Start, mirrored
from rfm.networks.sweeping import NetworkSetting
from rfm.networks.training import train
from rfm.networks.waves import Waves
from rfm.networks.weights import Weights, cross_shares

__all__ = [
    "Activation",
    "Mirrored",
    "NetworkSetting",
    "Paired",
    "Random",
    "ReLU",
    "Square",
    "Start",
    "Training",
    "Waves",
    "Weights",
    "cross_shares",
    "mirrored",
    "train",
]
