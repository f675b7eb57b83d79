"""The mutants of a module: its source with one small change each, by the operators of mutmut.

mutmut changes a number, an operator, a comparison, a constant, leaves out an argument or hands over
None for it, and so on. Left alone are type hints, docstrings and other texts of several words, what
is only said in an error or a warning, the argument ``device`` (there is but one to test on), a
change that compiles to the same bytecode, decorators, and a line marked ``# pragma: no mutate``,
which gives its reason.

mutmut's own runner passes over functions with a decorator, every property among them, and over all
that stands outside of functions. Here they have mutants like the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType

import libcst as cst
from libcst.metadata import MetadataWrapper, ParentNodeProvider, PositionProvider
from mutmut.mutation.file_mutation import MutationVisitor
from mutmut.mutation.mutators import mutation_operators, operator_arg_removal
from mutmut.mutation.pragma_handling import IgnoredCode, PragmaVisitor

TEXTS = (cst.SimpleString, cst.ConcatenatedString, cst.FormattedString)
SMALL = (cst.BaseSmallStatement, cst.Decorator)  # a statement that holds no others


@dataclass(frozen=True)
class Mutant:
    """One changed source.

    Attributes:
        module: dotted name of the module, as in an import.
        number: its place among the mutants of the module, from 0.
        place: names of the class and function that it is in; empty outside of functions, where
            what changes is found at import.
        lines: the first and the last line of the statement that is changed.
        before: the part that is changed.
        after: what stands there instead.
        source: the whole changed source.
    """

    module: str
    number: int
    place: tuple[str, ...]
    lines: tuple[int, int]
    before: str
    after: str
    source: str

    def __str__(self) -> str:
        where = ".".join(self.place) or "outside of functions"
        return f"{self.module}:{self.lines[0]} ({where}): {self.before} → {self.after or 'nothing'}"


def mutants(path: Path, module: str) -> Iterator[Mutant]:
    """Yield the mutants of a module, in the order of its source.

    Args:
        path: its file.
        module: its dotted name.
    """
    source = path.read_text(encoding="utf-8")
    wrapper = MetadataWrapper(cst.parse_module(source))
    pragmas = PragmaVisitor(str(path))
    wrapper.visit(pragmas)
    ignored = IgnoredCode(pragmas.no_mutate_lines, pragmas.ignore_node_lines, set())
    changes = _Changes(_operators(), ignored)
    wrapper.visit(changes)
    parents, places = wrapper.resolve(ParentNodeProvider), wrapper.resolve(PositionProvider)
    code, number = compile(source, str(path), "exec"), 0
    for change in changes.mutations:
        old, new = change.original_node, change.mutated_node
        changed = wrapper.module.deep_replace(old, new).code
        try:
            same = _same(code, compile(changed, str(path), "exec"))
        except SyntaxError:
            continue  # no program
        if same:
            continue
        above = [old, *_above(old, parents)]
        statement = next((node for node in above if isinstance(node, SMALL)), None)
        spans = [places[node] for node in above if node in places]
        span = places[statement] if statement in places else spans[0]
        texts = [wrapper.module.code_for_node(node).strip() for node in (old, new)]
        yield Mutant(
            *(module, number, _function(above), (span.start.line, span.end.line)),
            *(*texts, changed),
        )
        number += 1


def _operators() -> list[tuple[type, Callable[[cst.CSTNode], Iterable[cst.CSTNode]]]]:
    """mutmut's operators, of which none touches an argument ``device``."""

    def arguments(node: cst.Call) -> Iterator[cst.Call]:
        for mutated in operator_arg_removal(node):
            gone = [arg for arg in node.args if not any(arg is kept for kept in mutated.args)]
            if not any(arg.keyword and arg.keyword.value == "device" for arg in gone):
                yield mutated

    return [(t, arguments if op is operator_arg_removal else op) for t, op in mutation_operators]


class _Changes(MutationVisitor):
    """mutmut's search for what can be changed, with what is left alone here."""

    def __init__(self, operators: list, ignored: IgnoredCode):
        super().__init__(operators, ignored)
        self.said: set[cst.CSTNode] = set()

    def _skip_node_and_children(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.Raise) and isinstance(node.exc, cst.Call):
            self._leave_words(node.exc)
        if isinstance(node, cst.Call) and _name(node.func) == "warnings.warn":
            self._leave_words(node)
        return (
            node in self.said
            or (isinstance(node, cst.SimpleString) and " " in node.value)  # words for a reader
            or isinstance(node, (cst.Annotation, cst.Decorator))
            or (isinstance(node, cst.Arg) and _name(node.keyword) == "device")
        )

    def _leave_words(self, call: cst.Call) -> None:
        """Note the texts among the arguments, and the whole call where they are all."""
        texts = [arg for arg in call.args if isinstance(arg.value, TEXTS)]
        self.said.update(texts)
        if len(texts) == len(call.args):
            self.said.add(call)

    def _removes_ignored_code(self, node: cst.CSTNode, mutated_node: cst.CSTNode) -> bool:
        if isinstance(node, cst.Call) and isinstance(mutated_node, cst.Call):
            kept = {id(arg) for arg in mutated_node.args}
            if any(arg in self.said and id(arg) not in kept for arg in node.args):
                return True
        return super()._removes_ignored_code(node, mutated_node)


def _name(node: cst.CSTNode | None) -> str:
    """A dotted name as it is written; empty for anything else."""
    if isinstance(node, cst.Attribute):
        return f"{_name(node.value)}.{node.attr.value}"
    return node.value if isinstance(node, cst.Name) else ""


def _above(node: cst.CSTNode, parents: dict) -> Iterator[cst.CSTNode]:
    while (node := parents.get(node)) is not None:
        yield node


def _function(above: list[cst.CSTNode]) -> tuple[str, ...]:
    """The names that lead to the outermost function whose body the first of these nodes is in."""
    outermost = max(
        (i for i, node in enumerate(above) if isinstance(node, cst.FunctionDef)), default=None
    )
    if outermost is None or any(isinstance(n, cst.Parameters) for n in above[outermost - 1 :]):
        return ()
    holders = (cst.FunctionDef, cst.ClassDef)
    return tuple(n.name.value for n in reversed(above[outermost:]) if isinstance(n, holders))


def _same(one: CodeType, other: CodeType) -> bool:
    """Whether two pieces of bytecode do the same, wherever they stand in their sources."""
    if (one.co_code, one.co_names, one.co_varnames, one.co_freevars) != (
        *(other.co_code, other.co_names, other.co_varnames, other.co_freevars),
    ):
        return False
    if len(one.co_consts) != len(other.co_consts):
        return False
    return all(
        _same(a, b)
        if isinstance(a, CodeType) and isinstance(b, CodeType)
        else (type(a), repr(a)) == (type(b), repr(b))
        for a, b in zip(one.co_consts, other.co_consts, strict=True)
    )
