"""A digest of everything that makes a run, code included: equal only for what computes the same.

A printed setting shows what a reader needs; two runs may print alike and differ. What tells them
apart is a hash over values, types, state and code, the same in every process and on every day.
"""

from __future__ import annotations

import copyreg
import dis
import hashlib
import inspect
import sys
import sysconfig
from collections.abc import Mapping
from functools import cached_property, reduce
from pathlib import Path
from types import CellType, CodeType, FunctionType, MappingProxyType, ModuleType
from typing import Any

import numpy as np
import torch

LIBRARIES = tuple(Path(sysconfig.get_path(name)) for name in ("purelib", "platlib", "stdlib"))
CODE = (
    *("co_code", "co_consts", "co_names", "co_varnames", "co_freevars", "co_cellvars", "co_flags"),
    *("co_argcount", "co_posonlyargcount", "co_kwonlyargcount", "co_exceptiontable"),
)
HEAP = 1 << 9  # the flag of classes that are written in Python
# What Python, abc, copyreg and dataclasses keep in a class and no method reads.
NOT_CODE = {"__dict__", "__weakref__", "__doc__", "__module__", "__qualname__", "__slotnames__"}
NOT_CODE |= {"__firstlineno__", "__static_attributes__", "__abstractmethods__", "_abc_impl"}
NOT_CODE |= {"__dataclass_fields__", "__dataclass_params__", "__orig_bases__", "__parameters__"}
NOT_CODE |= {"__annotations__", "__annotate__", "__annotate_func__", "__annotations_cache__"}


def digest(**things: object) -> str:
    """SHA-256 of named things, 64 hexadecimal digits, equal in all processes.

    Values go by type and content, to the last bit; mappings and sets without their order; objects
    by class and state, as pickle takes it, cached properties left out. Functions and classes of the
    standard library, of installed packages and of this one go by name. All others go by code: their
    instructions and constants, defaults, closures, and the global names that they read.

    Raises:
        TypeError: for what has no content to take, such as an open file, a lock or a generator.
    """
    try:
        return _Encoder().of(things).hex()
    except RecursionError as error:
        raise TypeError(f"{', '.join(things)}: nested too deeply to be compared") from error


def _node(tag: str, *parts: bytes) -> bytes:
    found = hashlib.sha256()
    for part in (tag.encode(), *parts):
        found.update(len(part).to_bytes(8, "big") + part)
    return found.digest()


class _Encoder:
    """One walk through a thing: where it is, and which functions and classes it has met."""

    def __init__(self, other: _Encoder | None = None):
        self.trail: list[str] = list(other.trail) if other else []
        self.stack: list[int] = list(other.stack) if other else []
        self.met: dict[int, tuple[int, object]] = dict(other.met) if other else {}

    def of(self, x: Any) -> bytes:
        """The digest of anything."""
        kind = type(x)
        if kind in (type(None), bool, type(...), type(NotImplemented)):
            return _node("constant", repr(x).encode())
        if kind is int:
            return _node("int", hex(x).encode())
        if kind is float:
            return _node("float", x.hex().encode())
        if kind is complex:
            return _node("complex", x.real.hex().encode(), x.imag.hex().encode())
        if kind is str:
            return _node("str", x.encode("utf-8", "surrogatepass"))
        if kind in (bytes, bytearray):
            return _node(kind.__name__, bytes(x))
        if isinstance(x, ModuleType):
            return _node("module", x.__name__.encode(), self.of(_source(x)))
        if kind is FunctionType or isinstance(x, type):
            return self._defined(x)
        if id(x) in self.stack:
            return _node("within", str(self.stack.index(id(x))).encode())
        self.stack.append(id(x))
        try:
            return self._compound(x)
        finally:
            self.stack.pop()

    def _compound(self, x: Any) -> bytes:
        kind = type(x)
        if kind in (list, tuple):
            return _node(kind.__name__, *map(self.of, x))
        if kind in (set, frozenset):
            return _node(kind.__name__, *sorted(_Encoder(self).of(each) for each in x))
        if kind in (dict, MappingProxyType):
            return self._items(x)
        if kind is CodeType:
            return _node("code", *(self.of(getattr(x, name, None)) for name in CODE))
        if isinstance(x, torch.Tensor) and x.layout == torch.strided and not x.is_meta:
            flat = x.detach().cpu().resolve_conj().resolve_neg().reshape(-1)
            return self._array(str(x.dtype), x.shape, flat.view(torch.uint8).numpy())
        if kind is np.ndarray and not x.dtype.hasobject:
            return self._array(x.dtype.str, x.shape, x)
        if isinstance(x, property | staticmethod | classmethod | cached_property):
            parts = (getattr(x, name, None) for name in ("fget", "fset", "fdel", "func"))
            return _node(kind.__name__, *map(self.of, (*parts, getattr(x, "__func__", None))))
        return self._object(x)

    def _array(self, dtype: str, shape: tuple[int, ...], values: np.ndarray) -> bytes:
        return _node("array", dtype.encode(), str(tuple(shape)).encode(), values.tobytes())

    def _items(self, x: Mapping[object, object]) -> bytes:
        """Keys and values in an order that does not depend on how they came in."""
        keys = sorted(((_Encoder(self).of(key), key) for key in x), key=lambda pair: pair[0])
        return _node("dict", *(p for code, key in keys for p in (code, self._in(str(key), x[key]))))

    def _in(self, name: str, x: object) -> bytes:
        self.trail.append(name)
        found = self.of(x)
        self.trail.pop()
        return found

    def _object(self, x: object) -> bytes:
        """An object by what pickle would make it again from."""
        try:
            registered = copyreg.dispatch_table.get(type(x))
            made = registered(x) if registered else x.__reduce_ex__(4)
            if isinstance(made, str):  # a global name, which may stand for a cached function
                code = getattr(x, "__wrapped__", None)
                where = str(getattr(x, "__module__", ""))
                return _node("global", where.encode(), made.encode(), self.of(code))
            function_, arguments, state, items, pairs = (*made, None, None, None)[:5]
        except Exception as error:
            where = " → ".join(self.trail)
            raise TypeError(
                f"{where} has no content that could be compared or sent: {x!r:.200}, {error}"
            ) from error
        if isinstance(state, dict):
            state = {k: v for k, v in state.items() if not _is_cache(type(x), k)}
        items, pairs = list(items or ()), dict(pairs or ())
        return _node("object", *map(self.of, (type(x), function_, arguments, state, items, pairs)))

    def _defined(self, x: FunctionType | type) -> bytes:
        """A function or class: by name, as met before, or by code."""
        name = x.__qualname__
        if _has_name(x):
            return _node("name", f"{x.__module__}.{name}".encode())
        if id(x) in self.met:
            return _node("met", str(self.met[id(x)][0]).encode())
        self.met[id(x)] = len(self.met), x
        if isinstance(x, type):
            names = {k: v for k, v in vars(x).items() if k not in NOT_CODE}
            parts: tuple[object, ...] = (type(x), x.__name__, x.__bases__, names)
        else:
            reads = {k: x.__globals__[k] for k in _reads(x.__code__) if k in x.__globals__}
            closure = dict(
                zip(x.__code__.co_freevars, map(_content, x.__closure__ or ()), strict=True)
            )
            own = {k: v for k, v in vars(x).items() if k != "__wrapped__"}
            parts = (x.__code__, x.__defaults__, x.__kwdefaults__, closure, reads, own)
        self.trail.append(name)
        found = _node(type(x).__name__, *map(self.of, parts))
        self.trail.pop()
        return found


def _content(cell: CellType) -> object:
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return NotImplemented


def _reads(code: CodeType) -> set[str]:
    """The global names that code reads, the functions and classes written in it included."""
    loads = (i for i in dis.get_instructions(code) if i.opname in ("LOAD_GLOBAL", "LOAD_NAME"))
    inner = (_reads(each) for each in code.co_consts if isinstance(each, CodeType))
    return {i.argval for i in loads}.union(*inner)


def _is_cache(kind: type, name: object) -> bool:
    found = inspect.getattr_static(kind, name, None) if isinstance(name, str) else None
    return isinstance(found, cached_property)


def _has_name(x: FunctionType | type) -> bool:
    """Whether a library is known to mean this by its name. Code run as text may claim any name."""
    if not _from_library(x.__module__):
        return False
    if isinstance(x, type):
        return x.__module__ != "builtins" or not x.__flags__ & HEAP
    try:
        found: object = reduce(getattr, x.__qualname__.split("."), sys.modules[x.__module__])
    except (KeyError, AttributeError):
        return False
    return found is x


def _from_library(module: str | None) -> bool:
    top = (module or "").partition(".")[0]
    if top in ("__main__", "__mp_main__"):  # whatever program that is
        return False
    if top == "rfm" or top in sys.stdlib_module_names:
        return True
    file = getattr(sys.modules.get(module or ""), "__file__", None)
    return file is not None and any(Path(file).is_relative_to(where) for where in LIBRARIES)


def _source(module: ModuleType) -> list[str]:
    """What a module is apart from its name: for a library nothing, else its text.

    And the texts of the modules inside it and of those that it takes names from, and so on.
    """
    texts: dict[str, str] = {}
    waiting = [module]
    while waiting:
        found = waiting.pop()
        name = found.__name__
        if name in texts or _from_library(name):
            continue
        try:
            texts[name] = inspect.getsource(found)
        except (OSError, TypeError):
            texts[name] = ""
        inside = [other for other in sys.modules if other.startswith(f"{name}.")]
        for value in list(vars(found).values()):
            if isinstance(value, ModuleType):
                waiting.append(value)
            elif isinstance(value, FunctionType | type):
                inside.append(value.__module__ or "")
        waiting += [sys.modules[other] for other in inside if other in sys.modules]
    return [text for _, text in sorted(texts.items())]
