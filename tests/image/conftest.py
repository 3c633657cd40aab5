"""Shared by the tests of readers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from emseg.errors import ImageError


@contextmanager
def _image_or_one_line() -> Iterator[None]:
    try:
        yield
    except ImageError as error:
        line = str(error)
        if not line.isprintable() or "; " not in line:
            pytest.fail(line)


@pytest.fixture(scope="session")
def image_or_one_line() -> object:
    """A context in which damaged bytes are decoded: they may give an image, or one line with a remedy; nothing else."""
    return _image_or_one_line
