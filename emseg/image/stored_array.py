"""Arrays of NumPy files as they are stored: as label maps, masks and planes they need not be images."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.errors import ImageError

Path = str | os.PathLike[str]
ARRAYS = (".npy", ".npz")
KEYS = ("labels", "label", "segs")  # arrays of an archive that are taken before the first one


def stored_array(path: str, name: str) -> NDArray[Any]:
    """The array of a NumPy file; of an archive the first of `KEYS` that it has, or else its first array."""
    from zipfile import BadZipFile  # loads much; most runs read no archive

    try:
        with open(path, "rb") as file:
            stored = np.load(file, allow_pickle=False)
            if isinstance(stored, np.ndarray):
                return stored
            return np.asarray(stored[next((key for key in KEYS if key in stored.files), stored.files[0])])
    except (OSError, ValueError, EOFError, LookupError, BadZipFile) as error:
        reason = getattr(error, "strerror", None) or "damaged, or no array of numbers"
        raise ImageError(f"{name}: cannot be read ({reason}); give a NumPy file or an image of labels") from error


def is_array(path: Path) -> bool:
    """Whether a file is one of NumPy's, by its name."""
    return os.fspath(path).lower().endswith(ARRAYS)
