"""Frozen dataclasses and named tuples that are quick to make.

The standard library writes the methods of each class as text and compiles that: 0.2 to 0.8 ms for a dataclass of a few
fields, 5.6 ms for the one of all options, 0.1 to 0.2 ms for a named tuple (measured, CPython 3.11). A segmentation of a
small image, which takes 150 ms, spent 18 of them so. Here all classes of a kind share methods that look up the fields.
Type checkers see what the standard library has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__all__ = ["NamedRecord", "record"]

if TYPE_CHECKING:
    from dataclasses import dataclass as record
    from typing import NamedTuple as NamedRecord
else:
    import dataclasses
    from operator import itemgetter
    from threading import Lock

    _GATHERING = Lock()

    def record(*, frozen, eq=True, kw_only=False):
        """`dataclasses.dataclass` for frozen classes: the same fields, arguments, equality, text and errors.

        `fields` and `replace` of the standard library take its instances. A class derived from a record is one, too.
        """
        if not frozen:
            raise TypeError("records are frozen")
        return lambda cls: _record(cls, eq, kw_only)

    def _record(cls, eq, kw_only):
        own = set(vars(cls))
        _gather_fields(cls, kw_only)
        fields = dataclasses.fields(cls)
        cls.__init__ = _initialiser(fields, hasattr(cls, "__post_init__"))
        cls.__signature__ = _Signature()
        cls.__setattr__, cls.__delattr__ = _refuse_to_set, _refuse_to_delete
        if "__repr__" not in own:
            cls.__repr__ = _text
        if eq and "__eq__" not in own:
            cls.__eq__ = _equal
            cls.__hash__ = _hash
        return cls

    def _gather_fields(cls, kw_only):
        """Let the standard library find the fields, but write no methods, not even those that refuse assignments.

        It derives frozen classes from frozen ones alone, so all count as not frozen meanwhile, and as frozen after it.
        """
        mark = "__dataclass_params__"
        with _GATHERING:
            bases = [vars(base)[mark] for base in cls.__mro__[1:] if mark in vars(base)]
            if not all(base.frozen for base in bases):
                raise TypeError(f"{cls.__name__}: a record cannot be derived from a non-frozen dataclass")
            for base in bases:
                base.frozen = False
            dataclasses.dataclass(init=False, repr=False, eq=False, kw_only=kw_only)(cls)
            for params in (*bases, vars(cls)[mark]):
                params.frozen = True

    def _initialiser(fields, finishes):
        """What sets the fields of a new instance."""
        names = tuple(field.name for field in fields if field.init and not field.kw_only)
        taken = frozenset(field.name for field in fields if field.init)
        missing = dataclasses.MISSING
        defaults = {field.name: field.default for field in fields if field.default is not missing}
        made = {field.name: field.default_factory for field in fields if field.default_factory is not missing}

        def __init__(self, *values, **named):
            held = self.__dict__
            if values:
                if len(values) > len(names):
                    raise TypeError(f"{type(self).__name__} takes {len(names)} positional arguments, not {len(values)}")
                held.update(zip(names, values))  # noqa: B905  # the others are named, or have defaults
            if named:
                for name in named:
                    if name in held or name not in taken:
                        what = "several values for" if name in held else "an unexpected"
                        raise TypeError(f"{type(self).__name__} got {what} argument {name!r}")
                held.update(named)
            if len(held) < len(fields):
                for name, value in defaults.items():
                    held.setdefault(name, value)
                for name, make in made.items():
                    if name not in held:
                        held[name] = make()
                if not taken <= held.keys():
                    absent = ", ".join(repr(field.name) for field in fields if field.name in taken - held.keys())
                    raise TypeError(f"{type(self).__name__} misses the arguments {absent}")
            if finishes:
                self.__post_init__()

        __init__.fields = fields
        return __init__

    class _Signature:
        """The signature of a class as `help` and notebooks show it, made when one of them asks."""

        def __get__(self, instance, owner):
            if (
                instance is not None or getattr(owner.__init__, "fields", None) is None
            ):  # a class derived may have its own
                raise AttributeError("__signature__")
            from inspect import Parameter, Signature

            parameters = []
            for field in owner.__init__.fields:
                if field.init:
                    kind = Parameter.KEYWORD_ONLY if field.kw_only else Parameter.POSITIONAL_OR_KEYWORD
                    made = field.default_factory is not dataclasses.MISSING
                    default = _Factory() if made else field.default
                    default = Parameter.empty if default is dataclasses.MISSING else default
                    parameters.append(Parameter(field.name, kind, default=default, annotation=field.type))
            return Signature(sorted(parameters, key=lambda parameter: parameter.kind))

    class _Factory:
        """What a signature shows for a default that is made anew for each instance."""

        def __repr__(self):
            return "<factory>"

    def _refuse_to_set(self, name, value):
        if _is_frozen(self, name):
            raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")
        object.__setattr__(self, name, value)

    def _refuse_to_delete(self, name):
        if _is_frozen(self, name):
            raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")
        object.__delattr__(self, name)

    def _is_frozen(self, name):
        """Whether it is a field, or this is just a record: a plain class derived from one may have more attributes."""
        return "__dataclass_fields__" in vars(type(self)) or name in self.__dataclass_fields__

    def _values(self):
        return tuple(getattr(self, field.name) for field in dataclasses.fields(self))

    def _text(self):
        shown = ", ".join(f"{field.name}={getattr(self, field.name)!r}" for field in dataclasses.fields(self))
        return f"{type(self).__qualname__}({shown})"

    def _equal(self, other):
        return _values(self) == _values(other) if type(other) is type(self) else NotImplemented

    def _hash(self):
        return hash(_values(self))

    class _Named(type):
        """Makes the classes derived from `NamedRecord`."""

        def __new__(cls, name, bases, body):
            fields = tuple(body.get("__annotations__", ()))
            if bases:
                defaults = {field: body[field] for field in fields if field in body}
                getters = {field: property(itemgetter(place)) for place, field in enumerate(fields)}
                body |= getters | {"_fields": fields, "_field_defaults": defaults, "__match_args__": fields}
                body["__new__"] = _creator(fields, defaults)
            return super().__new__(cls, name, bases, {"__slots__": ()} | body)

    def _creator(fields, defaults):
        """What makes an instance."""
        create = tuple.__new__

        def __new__(cls, *values, **named):
            if len(values) < len(fields):
                rest = fields[len(values) :]
                try:
                    values += tuple([named.pop(field) if field in named else defaults[field] for field in rest])
                except KeyError as field:
                    raise TypeError(f"{cls.__name__} misses the argument {field}") from None
            if named:
                raise TypeError(f"{cls.__name__} got several values for or unexpected arguments {', '.join(named)}")
            if len(values) > len(fields):
                raise TypeError(f"{cls.__name__} takes {len(fields)} arguments, not {len(values)}")
            return create(cls, values)

        return __new__

    class NamedRecord(tuple, metaclass=_Named):
        """`typing.NamedTuple`: the same fields, defaults, text and methods that begin with an underscore."""

        def __getnewargs__(self):
            return tuple(self)

        def __repr__(self):
            shown = ", ".join(f"{field}={value!r}" for field, value in zip(self._fields, self, strict=True))
            return f"{type(self).__name__}({shown})"

        @classmethod
        def _make(cls, values):
            return cls(*values)

        def _asdict(self):
            return dict(zip(self._fields, self, strict=True))

        def _replace(self, /, **changes):
            held = self._asdict()
            if changes.keys() - held.keys():
                raise ValueError(f"unexpected field names {sorted(changes.keys() - held.keys())}")
            return type(self)(**held | changes)
