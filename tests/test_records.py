"""Records against the dataclasses and named tuples of the standard library."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

import pytest

from emseg.records import NamedRecord, record, replace

M = TypeVar("M")


@record(frozen=True)
class Point:
    """A point."""

    kind: ClassVar[str] = "point"
    x: int
    y: int = 2
    rest: list[int] = field(default_factory=list, kw_only=True)
    total: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "total", self.x + self.y)


@dataclass(frozen=True)
class Standard:
    """A point."""

    kind: ClassVar[str] = "point"
    x: int
    y: int = 2
    rest: list[int] = field(default_factory=list, kw_only=True)
    total: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "total", self.x + self.y)


class Pair(NamedRecord):
    """Two values."""

    a: int
    b: str = "b"
    c: tuple[int, ...] = ()

    @property
    def both(self) -> str:
        return f"{self.a}{self.b}"


class StandardPair(NamedTuple):
    """Two values."""

    a: int
    b: str = "b"
    c: tuple[int, ...] = ()


KINDS: list[Callable[..., Any]] = [Point, Standard]
PAIRS: list[Any] = [Pair, StandardPair]


@pytest.mark.parametrize("make", KINDS)
def test_fields_are_those_of_a_dataclass(make: Callable[..., Any]) -> None:
    made = make(1, rest=[3])
    assert (made.x, made.y, made.rest, made.total) == (1, 2, [3], 3)
    assert made.kind == "point"
    assert make(x=1, y=5) == make(1, 5) != make(1, 6)
    assert make(1).rest is not make(1).rest
    assert [entry.name for entry in dataclasses.fields(made)] == ["x", "y", "rest", "total"]
    for way in (dataclasses.replace, replace):
        assert way(made, x=4).total == 6
        assert way(made, x=4).rest is made.rest
        with pytest.raises(ValueError, match="total"):
            way(made, total=4)
        with pytest.raises(TypeError):
            way(made, other=4)
    assert dataclasses.asdict(made) == {"x": 1, "y": 2, "rest": [3], "total": 3}
    assert repr(made).endswith("(x=1, y=2, rest=[3], total=3)")
    assert str(inspect.signature(make)).startswith("(x: 'int', y: 'int' = 2, *, rest: 'list[int]' = <factory>)")
    assert made.__match_args__ == ("x", "y")
    assert pickle.loads(pickle.dumps(made)) == made == copy.deepcopy(made)


@pytest.mark.parametrize("make", KINDS)
@pytest.mark.parametrize(
    ("values", "named"),
    [((), {}), ((1, 2, []), {}), ((1,), {"x": 2}), ((1,), {"z": 2}), ((1,), {"total": 2}), ((), {"y": 1})],
)
def test_wrong_arguments_are_refused(make: Callable[..., Any], values: tuple[int, ...], named: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        make(*values, **named)


@pytest.mark.parametrize("make", KINDS)
def test_they_are_frozen(make: Callable[..., Any]) -> None:
    made = make(1)
    for name in ("x", "other"):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(made, name, 3)
        with pytest.raises(dataclasses.FrozenInstanceError):
            delattr(made, name)
    with pytest.raises(AttributeError):
        _ = made.other


def test_equality_and_hash() -> None:
    @record(frozen=True)
    class Equal:
        a: int

    @record(frozen=True, eq=False)
    class Itself:
        a: int

    assert hash(Equal(1)) == hash(Equal(1))
    assert len({Equal(1), Equal(1), Itself(1), Itself(1)}) == 3
    assert Itself(1) != Itself(1)
    assert Equal(1) != 1


def test_records_and_dataclasses_derive_from_each_other() -> None:
    @record(frozen=True, eq=False)
    class Base(Generic[M]):
        a: int
        b: int = 2

    @record(frozen=True, eq=False)
    class Record(Base[int]):
        c: int = 3

    @dataclass(frozen=True)
    class Frozen(Record):
        d: int = 4

    @record(frozen=True, kw_only=True)
    class Last(Frozen):
        e: int

        def __repr__(self) -> str:
            return "last"

    assert dataclasses.astuple(Last(1, e=5)) == (1, 2, 3, 4, 5)
    assert dataclasses.astuple(Frozen(1, 3)) == (1, 3, 3, 4)
    assert repr(Last(0, e=1)) == "last"
    assert repr(Record(0)).endswith("Record(a=0, b=2, c=3)")
    with pytest.raises(dataclasses.FrozenInstanceError):
        Frozen(1).c = 2  # type: ignore[misc]
    with pytest.raises(TypeError, match="non-frozen"):

        @dataclass
        class Loose(Record):
            f: int = 1

    @dataclass
    class Free:
        a: int

    with pytest.raises(TypeError, match="non-frozen"):

        @record(frozen=True)
        class Bound(Free):  # type: ignore[misc]
            b: int

    with pytest.raises(TypeError, match="frozen"):
        record(frozen=False)


def test_a_class_derived_from_a_record_may_have_more() -> None:
    class More(Point):
        def __init__(self, x: int) -> None:
            super().__init__(x, 7)
            self.note = "more"

    assert (More(1).y, More(1).note) == (7, "more")
    assert str(inspect.signature(More)) == "(x: 'int') -> 'None'"
    with pytest.raises(dataclasses.FrozenInstanceError):
        More(1).y = 3  # type: ignore[misc]


@pytest.mark.parametrize("make", PAIRS)
def test_named_records_are_named_tuples(make: Any) -> None:
    made = make(1, c=(2,))
    a, b, c = made
    assert (a, b, c) == made == (1, "b", (2,))
    assert (made.a, made.b, made[2]) == (1, "b", (2,))
    assert made._replace(b="x") == (1, "x", (2,))
    assert made._asdict() == {"a": 1, "b": "b", "c": (2,)}
    assert (make._fields, make._field_defaults) == (("a", "b", "c"), {"b": "b", "c": ()})
    assert make._make([1, "b", (2,)]) == made
    assert repr(made) == f"{make.__name__}(a=1, b='b', c=(2,))"
    assert isinstance(made, tuple)
    assert not hasattr(made, "__dict__")
    assert type(pickle.loads(pickle.dumps(made))) is make
    assert copy.copy(made) == made
    match made:
        case make(first, second):
            assert (first, second) == (1, "b")
    with pytest.raises(AttributeError):
        made.a = 2
    with pytest.raises(ValueError, match="unexpected field names"):
        made._replace(d=1)


def test_named_records_have_methods_of_their_own() -> None:
    assert Pair(3).both == "3b"


@pytest.mark.parametrize("make", PAIRS)
@pytest.mark.parametrize(
    ("values", "named"), [((), {}), ((1, "b", (), 4), {}), ((1,), {"a": 1}), ((1,), {"d": 1}), ((), {"b": "b"})]
)
def test_named_records_refuse_wrong_arguments(make: Any, values: tuple[Any, ...], named: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        make(*values, **named)


def test_making_one_compiles_nothing() -> None:
    code = (
        "import builtins, emseg.records, dataclasses, sys\n"
        "def refuse(*given, **named): raise AssertionError('compiled')\n"
        "builtins.exec = builtins.compile = builtins.eval = refuse\n"
        "body = {'__annotations__': {'a': 'int'}, '__doc__': 'It.', '__module__': '__main__'}\n"
        "emseg.records.record(frozen=True)(type('R', (), dict(body)))(1)\n"
        "type(emseg.records.NamedRecord)('N', (emseg.records.NamedRecord,), dict(body))(1)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[1])
