"""`Model`: a fitted mixture with the features that it is of, to label, score and draw samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from numpy.typing import NDArray

from emseg.commands.results.stored_model import StoredModel
from emseg.commands.shared_steps import channels_as_meant, picture_and_mask
from emseg.errors import DataError, UsageError, option
from emseg.mixture.assign import label_type
from emseg.numerics.log_sum_exp import softmax
from emseg.options import checked
from emseg.records import record
from emseg.stages.class_scores import ClassScores
from emseg.stages.inputs.data_table import as_table, has_axes, is_frame, looks_like_table
from emseg.stages.inputs.input_image import ImageLike, MaskLike
from emseg.stages.inputs.model_features import features_of_model
from emseg.stages.units import standardised

if TYPE_CHECKING:
    from emseg.options.keywords import ApplyKeywords

Array = NDArray[np.float64]


@record(frozen=True, eq=False)
class Model(StoredModel):
    """A fitted mixture with the features that it is of.

    `emseg.fit` makes one of a table, `emseg.segment(image).model` is that of an image, and `Model.load` reads one. Its
    methods take images and tables. A table (N, D) has the model's features as columns, in their own units. What has two
    axes and D columns is a table; all else is an image.

    Attributes
    ----------
    features : str
        What is measured at each pixel, as `emseg.segment` takes it; ``"bands"`` of a table.
    mixture : Mixture
        In the features' own units, components in the order of the labels.
    columns : tuple of str
        Names of the columns of the table that it was fitted to, if they had names.
    report : dict
        What `emseg.fit` or `emseg.segment` says of the fit: likelihoods, `bic`, `status`, `warnings`. Empty of a model
        that was loaded.

    Examples
    --------
    >>> import numpy as np, emseg
    >>> rng = np.random.default_rng(0)
    >>> table = np.concatenate([rng.normal(0, 1, (50, 2)), rng.normal(9, 1, (50, 2))])
    >>> model = emseg.fit(table, k=2)
    >>> model.predict([[0, 1], [9, 8]]).tolist()
    [1, 2]
    >>> model.predict_proba(table).shape
    (100, 2)
    """

    def __repr__(self) -> str:
        from emseg.output.tables.python_texts import model_text  # for people

        return model_text(self.features, self.mixture, self.report, self.columns)

    def predict(
        self, data: ImageLike, *, mask: MaskLike | None = None, missing: str = "drop", **options: Unpack[ApplyKeywords]
    ) -> NDArray[np.unsignedinteger[Any]]:
        """The most probable class of each row or pixel: 1…K, K + 1 for noise, and 0 where nothing is known.

        Parameters
        ----------
        data : array-like, DataFrame, image of PIL, path, file, Image or Source
            A table (N, D), whose NaN are missing values; or an image.
        mask : array-like or path, optional
            Of an image: only where it is non-zero are pixels used.
        missing : {"drop", "em"}
            Of an image: whether pixels that are known in part are used.
        **options
            Of an image: what is taken of it and of the mask, as `emseg.apply` has it.

        Returns
        -------
        ndarray of unsigned int, shape (N,), or (H, W) of an image

        Examples
        --------
        >>> import numpy as np, emseg
        >>> model = emseg.fit(np.random.default_rng(0).normal(size=(50, 2)), k=1)
        >>> model.predict([[0, 1], [2, np.nan], [np.nan, np.nan]]).tolist()
        [1, 1, 0]
        """
        found = self._joint(data, mask, missing, options)
        labels = np.zeros(found.n, label_type(self.mixture.k))
        for part, joint in found.blocks():
            labels[part] = joint.argmax(0) + 1
        labels[found.unknown] = 0
        return found.on_grid(labels)

    def predict_proba(
        self, data: ImageLike, *, mask: MaskLike | None = None, missing: str = "drop", **options: Unpack[ApplyKeywords]
    ) -> Array:
        """The probability of each class for each row or pixel, noise last; 0 where nothing is known.

        Parameters are those of `predict`.

        Returns
        -------
        ndarray, shape (N, K), or (H, W, K) of an image

        Examples
        --------
        >>> import numpy as np, emseg
        >>> model = emseg.fit(np.random.default_rng(0).normal(size=(50, 2)), k=1)
        >>> model.predict_proba([[0, 1], [2, 3]]).tolist()
        [[1.0], [1.0]]
        """
        found = self._joint(data, mask, missing, options)
        share = np.empty((self.mixture.k, found.n))
        for part, joint in found.blocks():
            share[:, part] = softmax(joint, out=joint)[0]
        share[:, found.unknown] = 0
        return np.moveaxis(found.on_grid(share), 0, -1)

    def score_samples(
        self, data: ImageLike, *, mask: MaskLike | None = None, missing: str = "drop", **options: Unpack[ApplyKeywords]
    ) -> Array:
        """Logarithm of the density at each row or pixel, in nats; NaN where nothing is known.

        Parameters are those of `predict`. Densities are of the features in their own units. Of a row that is known in
        part, it is the density of that part.

        Returns
        -------
        ndarray, shape (N,), or (H, W) of an image

        Examples
        --------
        >>> import numpy as np, emseg
        >>> model = emseg.fit(np.random.default_rng(0).normal(size=(50, 2)), k=1)
        >>> model.score_samples([[0, 1], [9, 9]]).argmax().item()
        0
        """
        found = self._joint(data, mask, missing, options)
        density = np.empty(found.n)
        for part, joint in found.blocks():
            density[part] = softmax(joint, out=joint)[1]
        density[found.unknown] = np.nan
        return found.on_grid(density + found.log_jacobian(), np.nan)

    def score(
        self, data: ImageLike, *, mask: MaskLike | None = None, missing: str = "drop", **options: Unpack[ApplyKeywords]
    ) -> float:
        """The mean log-density of rows or pixels, in nats, as scikit-learn's `score`; those without data do not count.

        Parameters are those of `predict`.

        Examples
        --------
        >>> import numpy as np, emseg
        >>> model = emseg.fit(np.random.default_rng(0).normal(size=(50, 2)), k=1)
        >>> model.score([[0, 1]]) > model.score([[9, 9]])
        True
        """
        density = self.score_samples(data, mask=mask, missing=missing, **options)
        return float(np.nanmean(density)) if np.isfinite(density).any() else float("nan")

    def sample(self, n: int = 1, seed: int = 0) -> tuple[Array, NDArray[np.unsignedinteger[Any]]]:
        """Draw from the mixture.

        Parameters
        ----------
        n : int
            Number of samples.
        seed : int

        Returns
        -------
        x : ndarray, shape (n, D)
            In the features' own units.
        labels : ndarray of unsigned int, shape (n,)
            The class that each is of, 1…K, and K + 1 for noise.

        Raises
        ------
        UsageError
            If the model was loaded and has noise, whose place the file does not hold.

        Examples
        --------
        >>> import numpy as np, emseg
        >>> model = emseg.fit(np.random.default_rng(0).normal(size=(50, 2)), k=1)
        >>> x, labels = model.sample(3, seed=1)
        >>> x.shape, labels.tolist()
        ((3, 2), [1, 1, 1])
        """
        from emseg.mixture.sampling import sampled
        from emseg.options.kinds.basic_kinds import Whole

        for name, value, least in (("n", n, 1), ("seed", seed, 0)):
            try:
                Whole(least).check(value)
            except ValueError:
                raise UsageError(f"{name} is {value!r}; it must be {Whole(least).wanted}") from None
        x, which = sampled(self.mixture, int(n), np.random.default_rng(seed))
        return np.ascontiguousarray(x.T), (which + 1).astype(label_type(self.mixture.k))

    def _joint(self, data: Any, mask: Any, missing: str, options: Any) -> ClassScores:
        """What the data are under the model."""
        d = self.mixture.d
        if looks_like_table(data, d):
            table = as_table(self._named(data))
            if table.values.shape[1] != d:
                what = f"{table.values.shape[1]} columns, the model {d} features"
                raise DataError(f"table: has {what}; give one with a column for each of them")
            if mask is not None:
                raise UsageError(f"{option('mask')}: is for images; mark the missing values of a table as NaN")
            columns = slice(None) if self.pivots is None else list(self.pivots)
            return ClassScores(self.independent, np.ascontiguousarray(table.values.T[columns]))
        if self.features == "bands" and d > 1 and has_axes(data, 2):
            remedy = f"give rows of {d} numbers, or an image of {d} channels"
            raise DataError(f"table: has the shape {np.shape(data)}, the model {d} features; {remedy}")
        reading, others = checked.reading("apply", options)
        settings = checked.segmentation("apply", missing=missing, **others)
        photo, inside = picture_and_mask(data, mask, settings, reading, self.features)
        photo = channels_as_meant(photo, self.features)
        features = features_of_model(self, photo, inside, missing)
        return ClassScores(standardised(self.mixture, features), features.x, features, photo)

    def _named(self, data: Any) -> Any:
        """The columns of a data frame that the model was fitted to; whatever else as it is."""
        if not (self.columns and is_frame(data)):
            return data
        lacking = [name for name in self.columns if name not in {str(own) for own in data.columns}]
        if lacking:
            raise DataError(f"table: lacks column {lacking[0]}; give those that the model was fitted to")
        own = [str(name) for name in data.columns]
        return data.iloc[:, [own.index(name) for name in self.columns]]
