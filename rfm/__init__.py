"""Recursive feature machines on the tables of finite Abelian groups.

The paper is M. Tomàs Bernal, N. Mallinar and M. Belkin, *Breaking Data Symmetry is Needed For
Generalization in Feature Learning Kernels* (AISTATS 2026, arXiv 2604.00316), cited as [B]; [M] is
its precursor, arXiv 2407.20199.
"""

from rfm.decomposition import Decomposition, decompose
from rfm.equivalence import (
    Equivalence,
    HeldOut,
    automorphisms,
    equivalences,
    pair_classes,
    single_classes,
)
from rfm.groups import Group, abelian, cyclic, units
from rfm.kernels import Gaussian, InnerProductKernel, Kernel, Quadratic, RadialKernel
from rfm.machine import KernelMachine, matrix_power
from rfm.measures import (
    alignment,
    circulant_deviation,
    commutators,
    odd_part,
    random_circulant_features,
)
from rfm.prediction import Prediction, predict
from rfm.resources import memory_estimate
from rfm.run import Interrupted, Run, converged, fit
from rfm.solve import Factor, JitterWarning, SingularKernelError, factorise
from rfm.splits import Kind, Split, random_split, withhold
from rfm.subgroups import Subgroup, generate, orbits, stabiliser
from rfm.sweeps import Setting, SweepError, SweepWarning, outcome, sweep
from rfm.symmetry import Symmetry
from rfm.tasks import Task, addition, division, multiplication, subtraction

__all__ = [
    "Decomposition",
    "Equivalence",
    "Factor",
    "Gaussian",
    "Group",
    "HeldOut",
    "InnerProductKernel",
    "Interrupted",
    "JitterWarning",
    "Kernel",
    "KernelMachine",
    "Kind",
    "Prediction",
    "Quadratic",
    "RadialKernel",
    "Run",
    "Setting",
    "SingularKernelError",
    "Split",
    "Subgroup",
    "SweepError",
    "SweepWarning",
    "Symmetry",
    "Task",
    "abelian",
    "addition",
    "alignment",
    "automorphisms",
    "circulant_deviation",
    "commutators",
    "converged",
    "cyclic",
    "decompose",
    "division",
    "equivalences",
    "factorise",
    "fit",
    "generate",
    "matrix_power",
    "memory_estimate",
    "multiplication",
    "odd_part",
    "orbits",
    "outcome",
    "pair_classes",
    "predict",
    "random_circulant_features",
    "random_split",
    "single_classes",
    "stabiliser",
    "subtraction",
    "sweep",
    "units",
    "withhold",
]
