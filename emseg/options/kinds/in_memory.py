"""What a Python caller hands over in the place of a file's path: an array, or a model. Imports nothing heavy."""

from __future__ import annotations

import os
from typing import Any


class InMemory(str):
    """A text that stands for a value in memory, where options hold paths: reports and messages show it as it is.

    Attributes
    ----------
    value : object
        What was handed over.
    """

    value: Any

    def __new__(cls, value: Any) -> InMemory:
        """The text ``"array"``, or ``"model"``, that stands for the value."""
        found = super().__new__(cls, "model" if is_model(value) else "array")
        found.value = value
        return found

    def __reduce__(self) -> tuple[type[InMemory], tuple[Any]]:
        """Pickle the value, not the text."""
        return InMemory, (self.value,)


def is_model(value: object) -> bool:
    """Whether this is a model, or a result that has one."""
    return hasattr(value, "mixture")


def can_stand_for_a_file(value: object) -> bool:
    """Whether this is an array of any library, an image of PIL, a list, or a model, and no path."""
    if isinstance(value, str | bytes | os.PathLike):
        return False
    listed = isinstance(value, list | tuple | memoryview)
    like_arrays = ("__array__", "__array_interface__", "dataobj")  # the last is what volumes of nibabel have
    return listed or is_model(value) or any(hasattr(value, name) for name in like_arrays)
