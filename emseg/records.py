"""Frozen dataclasses and named tuples that are quick to make.

The standard library writes the methods of each class as text and compiles that: 0.2 to 0.8 ms for a dataclass of a few
fields, 5.6 ms for the one of all options, 0.1 to 0.2 ms for a named tuple (measured, CPython 3.11). A segmentation of a
small image, which takes 150 ms, spent 18 of them so. Here all classes of a kind share methods that look up the fields.
Type checkers see what the standard library has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__all__ = ["NamedRecord", "record", "replace"]

if TYPE_CHECKING:
    from dataclasses import dataclass as record
    from dataclasses import replace
    from typing import NamedTuple as NamedRecord
else:
    import dataclasses
    from dataclasses import MISSING, Field
    from operator import itemgetter

    def record(*, frozen, eq=True, kw_only=False):
        """`dataclasses.dataclass` for frozen classes: the same fields, arguments, equality, text and errors.

        `fields` and `replace` of the standard library take its instances. Records and frozen dataclasses derive from
        each other.
        """
        if not frozen:
            raise TypeError("records are frozen")
        return lambda cls: _record(cls, eq, kw_only)

    def _record(cls, eq, kw_only):
        own = set(vars(cls))
        fields = {}  # name: annotation, default, what makes the default, whether __init__ takes it, by keyword alone
        for base in cls.__mro__[:0:-1]:
            fields |= _inherited(base)
        for name, annotation in cls.__annotations__.items():
            if str(annotation).partition("[")[0].rpartition(".")[2] == "ClassVar":
                continue
            given = vars(cls).get(name, MISSING)
            if isinstance(given, Field):
                alone = kw_only if given.kw_only is MISSING else given.kw_only
                fields[name] = annotation, given.default, given.default_factory, given.init, alone, given.metadata
                if given.default is MISSING:
                    delattr(cls, name)
                else:
                    setattr(cls, name, given.default)
            else:
                fields[name] = annotation, given, MISSING, True, kw_only, None
        cls.__record_fields__ = fields
        cls.__dataclass_fields__, cls.__dataclass_params__ = _Gathered(cls, 0), _Gathered(cls, 1)
        cls.__signature__ = _Signature(cls)
        cls.__init__ = _initialiser(fields, hasattr(cls, "__post_init__"))
        cls.__match_args__ = tuple(name for name, entry in fields.items() if entry[3] and not entry[4])
        cls.__setattr__, cls.__delattr__ = _refuse_to_set, _refuse_to_delete
        if "__repr__" not in own:
            cls.__repr__ = _text
        if eq and "__eq__" not in own:
            cls.__eq__ = _equal
            cls.__hash__ = _hash
        return cls

    def replace(held, /, **changes):
        """`dataclasses.replace`, which also takes what is no record."""
        fields = getattr(type(held), "__record_fields__", None)
        if fields is None or "__record_fields__" not in vars(type(held)):
            return dataclasses.replace(held, **changes)
        for name, (_, _, _, init, _, _) in fields.items():
            if name not in changes:
                if init:
                    changes[name] = getattr(held, name)
            elif not init:
                raise ValueError(f"{name} is not for __init__, and cannot be replaced")
        return type(held)(**changes)

    def _inherited(base):
        """The fields of a record or a frozen dataclass."""
        if "__record_fields__" in vars(base):
            return base.__record_fields__
        if "__dataclass_fields__" not in vars(base):
            return {}
        if not base.__dataclass_params__.frozen:
            raise TypeError("a record cannot be derived from a non-frozen dataclass")
        return {
            field.name: (field.type, field.default, field.default_factory, field.init, field.kw_only, field.metadata)
            for field in dataclasses.fields(base)
        }

    class _Gathered:
        """Fields and parameters as the standard library has them, made when it asks for them."""

        def __init__(self, cls, place):
            self.cls, self.place = cls, place

        def __get__(self, instance, owner):
            body = {"__annotations__": {}, "__doc__": self.cls.__doc__, "__module__": self.cls.__module__}
            for name, (annotation, default, make, init, alone, metadata) in self.cls.__record_fields__.items():
                field = dataclasses.field(
                    default=default, default_factory=make, init=init, kw_only=alone, metadata=metadata
                )
                body["__annotations__"][name], body[name] = annotation, field
            made = dataclasses.dataclass(init=False, repr=False, eq=False)(type(self.cls.__name__, (), body))
            made.__dataclass_params__.frozen = True
            found = made.__dataclass_fields__, made.__dataclass_params__
            self.cls.__dataclass_fields__, self.cls.__dataclass_params__ = found
            return found[self.place]

    def _initialiser(fields, finishes):
        """What sets the fields of a new instance."""
        names = tuple(name for name, entry in fields.items() if entry[3] and not entry[4])
        taken = frozenset(name for name, entry in fields.items() if entry[3])
        defaults = {name: entry[1] for name, entry in fields.items() if entry[1] is not MISSING}
        made = {name: entry[2] for name, entry in fields.items() if entry[2] is not MISSING}

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
                    absent = ", ".join(repr(name) for name in fields if name in taken - held.keys())
                    raise TypeError(f"{type(self).__name__} misses the arguments {absent}")
            if finishes:
                self.__post_init__()

        __init__.of_record = True
        return __init__

    class _Signature:
        """The signature of a class as `help` and notebooks show it, made when one of them asks."""

        def __init__(self, cls):
            self.cls = cls

        def __get__(self, instance, owner):
            if instance is not None or not hasattr(owner.__init__, "of_record"):  # a class derived may have its own
                raise AttributeError("__signature__")
            from inspect import Parameter, Signature

            parameters = []
            for name, (annotation, default, make, init, alone, _) in self.cls.__record_fields__.items():
                if init:
                    shown = _Factory() if make is not MISSING else Parameter.empty if default is MISSING else default
                    kind = Parameter.KEYWORD_ONLY if alone else Parameter.POSITIONAL_OR_KEYWORD
                    parameters.append(Parameter(name, kind, default=shown, annotation=annotation))
            parameters.sort(key=lambda parameter: parameter.kind)
            return Signature(parameters, return_annotation=None)

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
        return "__record_fields__" in vars(type(self)) or name in self.__record_fields__

    def _values(self):
        return tuple(getattr(self, name) for name in self.__record_fields__)

    def _text(self):
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__record_fields__)
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
        create, count = tuple.__new__, len(fields)

        def __new__(cls, *values, **named):
            if len(values) != count or named:
                values = completed(cls, values, named)
            return create(cls, values)

        def completed(cls, values, named):
            """All values: those given by name come after the others, and those with defaults may be left out."""
            rest = fields[len(values) :]
            try:
                values += tuple([named.pop(field) if field in named else defaults[field] for field in rest])
            except KeyError as field:
                raise TypeError(f"{cls.__name__} misses the argument {field}") from None
            if named:
                raise TypeError(f"{cls.__name__} got several values for or unexpected arguments {', '.join(named)}")
            if len(values) > count:
                raise TypeError(f"{cls.__name__} takes {count} arguments, not {len(values)}")
            return values

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
            values = [changes.pop(field, value) for field, value in zip(self._fields, self, strict=True)]
            if changes:
                raise ValueError(f"unexpected field names {sorted(changes)}")
            return type(self)(*values)
