"""Recursive feature machines on the tables of finite groups.

The paper is M. Tomàs Bernal, N. Mallinar and M. Belkin, *Breaking Data Symmetry is Needed For
Generalization in Feature Learning Kernels* (AISTATS 2026, arXiv 2604.00316v1), cited as [B];
[M] is its precursor, ICML 2025, arXiv 2407.20199.
"""

from rfm.characters import CharacterTable, characters
from rfm.checks import check_kernel
from rfm.decomposition import Decomposition, decompose
from rfm.equivalence import (
    Equivalence,
    HeldOut,
    automorphisms,
    equivalences,
    pair_classes,
    single_classes,
)
from rfm.finite import FiniteGroup
from rfm.groups import Group, abelian, cyclic, units
from rfm.kernels import InnerProductKernel, Kernel, RadialKernel
from rfm.machine import KernelMachine
from rfm.measures import (
    alignment,
    circulant_deviation,
    commutators,
    odd_part,
    random_circulant_features,
    vote_accuracy,
    votes,
)
from rfm.permuting import affine, alternating, dihedral, permutations, quaternions, symmetric
from rfm.prediction import Prediction, predict
from rfm.products import TableTask, composition, quotient
from rfm.profiles import Gaussian, Laplace, Matern, Quadratic
from rfm.recursion import fit
from rfm.reduced import FourNumbers, reduced
from rfm.renamings import Renaming, exchange, renamings
from rfm.representations import (
    IsotypicParts,
    exchange_share,
    exchanged,
    isotypic,
    projections,
)
from rfm.resources import memory_estimate
from rfm.run import Interrupted, Run, RunError
from rfm.searching import Search, search
from rfm.solve import Factor, JitterWarning, SingularKernelError, factorise
from rfm.spectral import matrix_power
from rfm.splits import Kind, Split, random_split, stabiliser, withhold
from rfm.stopping import converged, direction_converged
from rfm.subgroups import Subgroup, generate, orbits
from rfm.sweeps import Setting, SweepError, SweepWarning, outcome, sweep
from rfm.symmetry import Symmetry
from rfm.tasks import Task, addition, division, multiplication, subtraction
from rfm.version import VERSION, refuse_a_mixture

refuse_a_mixture()
__version__ = VERSION

__all__ = [
    "CharacterTable",
    "Decomposition",
    "Equivalence",
    "Factor",
    "FiniteGroup",
    "FourNumbers",
    "Gaussian",
    "Group",
    "HeldOut",
    "InnerProductKernel",
    "Interrupted",
    "IsotypicParts",
    "JitterWarning",
    "Kernel",
    "KernelMachine",
    "Kind",
    "Laplace",
    "Matern",
    "Prediction",
    "Quadratic",
    "RadialKernel",
    "Renaming",
    "Run",
    "RunError",
    "Search",
    "Setting",
    "SingularKernelError",
    "Split",
    "Subgroup",
    "SweepError",
    "SweepWarning",
    "Symmetry",
    "TableTask",
    "Task",
    "abelian",
    "addition",
    "affine",
    "alignment",
    "alternating",
    "automorphisms",
    "characters",
    "check_kernel",
    "circulant_deviation",
    "commutators",
    "composition",
    "converged",
    "cyclic",
    "decompose",
    "dihedral",
    "direction_converged",
    "division",
    "equivalences",
    "exchange",
    "exchange_share",
    "exchanged",
    "factorise",
    "fit",
    "generate",
    "isotypic",
    "matrix_power",
    "memory_estimate",
    "multiplication",
    "odd_part",
    "orbits",
    "outcome",
    "pair_classes",
    "permutations",
    "predict",
    "projections",
    "quaternions",
    "quotient",
    "random_circulant_features",
    "random_split",
    "reduced",
    "renamings",
    "search",
    "single_classes",
    "stabiliser",
    "subtraction",
    "sweep",
    "symmetric",
    "units",
    "vote_accuracy",
    "votes",
    "withhold",
]
