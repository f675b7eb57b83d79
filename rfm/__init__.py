"""Recursive feature machines on the tables of finite Abelian groups.

The paper is M. Tomàs Bernal, N. Mallinar and M. Belkin, *Breaking Data Symmetry is Needed For
Generalization in Feature Learning Kernels* (AISTATS 2026, arXiv 2604.00316), cited as [B]; [M] is
its precursor, arXiv 2407.20199.
"""

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
from rfm.measures import alignment, circulant_deviation, random_circulant_features
from rfm.resources import memory_estimate
from rfm.run import Interrupted, Run, converged, fit
from rfm.solve import Factor, JitterWarning, SingularKernelError, factorise
from rfm.splits import Kind, Split, random_split, withhold
from rfm.sweeps import Setting, outcome, sweep
from rfm.symmetry import Symmetry, generate, orbits
from rfm.tasks import Task, addition, division, multiplication, subtraction

__all__ = [
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
    "Quadratic",
    "RadialKernel",
    "Run",
    "Setting",
    "SingularKernelError",
    "Split",
    "Symmetry",
    "Task",
    "abelian",
    "addition",
    "alignment",
    "automorphisms",
    "circulant_deviation",
    "converged",
    "cyclic",
    "division",
    "equivalences",
    "factorise",
    "fit",
    "generate",
    "matrix_power",
    "memory_estimate",
    "multiplication",
    "orbits",
    "outcome",
    "pair_classes",
    "random_circulant_features",
    "random_split",
    "single_classes",
    "subtraction",
    "sweep",
    "units",
    "withhold",
]
