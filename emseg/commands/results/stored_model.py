"""What a model is, apart from what it says of data: its parameters, and the file that holds it."""

from __future__ import annotations

import os
from dataclasses import field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from emseg.mixture.saved import Model
from emseg.records import record

Array = NDArray[np.float64]


@record(frozen=True, eq=False)
class StoredModel(Model):
    """A mixture with the features that it is of, and how it was fitted; see `emseg.Model`."""

    columns: tuple[str, ...] = ()
    report: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a model file: what `save` or the command line's option of that name wrote.

        Raises
        ------
        DataError
            If the file cannot be read, or is no model.

        Examples
        --------
        >>> import numpy as np, emseg, os, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "two.emseg.json")
        ...     emseg.segment(np.array([[1.0, 2.0, 1.5, 9.0, 8.0, 8.5]]), k=2).model.save(path)
        ...     emseg.Model.load(path).k
        2
        """
        from emseg.output.store.model_file import read_model

        found = read_model(os.fspath(path))
        return cls(found.features, found.mixture, pivots=found.pivots)

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write a model file, for `Model.load`, `emseg.apply` and the command line.

        Parameters
        ----------
        path : path
        overwrite : bool
            Replace a file that is no model.

        Raises
        ------
        OutputError
            If the file cannot be written, or is not emseg's to replace.

        Examples
        --------
        >>> import numpy as np, emseg, os, tempfile
        >>> model = emseg.fit(np.random.default_rng(0).normal(size=(50, 2)), k=1)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     model.save(os.path.join(folder, "one.emseg.json"))
        ...     same = emseg.Model.load(os.path.join(folder, "one.emseg.json"))
        >>> bool((same.means == model.means).all())
        True
        """
        from emseg.mixture.saved import mixture_json
        from emseg.output.store.model_file import write_model

        write_model(os.fspath(path), mixture_json(self.features, self.mixture, self.pivots), overwrite)

    @property
    def k(self) -> int:
        """Number of classes."""
        return self.mixture.n_classes

    @property
    def weights(self) -> Array:
        """Shares of the classes, shape (K,); less than 1 in all beside noise."""
        return self.mixture.weights[: self.k]

    @property
    def means(self) -> Array:
        """Means of the classes, shape (K, D)."""
        found: Array = self.mixture.components.means[: self.k]
        return found

    @property
    def covariances(self) -> Array:
        """Covariances of the classes, shape (K, D, D)."""
        found: Array = self.mixture.components.covariances[: self.k]
        return found

    @property
    def warnings(self) -> tuple[str, ...]:
        """What you should know of the fit, a line each."""
        return tuple(self.report.get("warnings", ()))
