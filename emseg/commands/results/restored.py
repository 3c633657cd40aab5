"""What the results of `denoise` and `inpaint` have in common."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from numpy.typing import NDArray

from emseg.image.model import Image


class Restored:
    """An image that was restored, with the report of how.

    Attributes
    ----------
    image : Image
    report : dict
    """

    image: Image
    report: dict[str, Any]

    @property
    def pixels(self) -> NDArray[Any]:
        """The pixels in the form of the array that was given; of a file, shape (H, W, C), or (Z, H, W, C)."""
        return self.image.as_given

    @property
    def notices(self) -> tuple[str, ...]:
        """What the user should know of how the picture was taken; `warnings` of the report has these lines, too."""
        return self.image.notices

    @property
    def warnings(self) -> tuple[str, ...]:
        """What you should know of how the image was taken and of what came of it, a line each."""
        return tuple(self.report.get("warnings", ()))

    def _repr_png_(self) -> bytes:
        """What notebooks show: the image, scaled down where it is large."""
        from emseg.output.pictures.small import preview

        return preview(self.image)

    def save(self, folder: str | os.PathLike[str] = ".", *, name: str = "", overwrite: bool = False) -> dict[str, Any]:
        """Write the image and the report as the command line does, whole or not at all.

        Parameters
        ----------
        folder : path
            Made if need be.
        name : str
            What the names of the files begin with: that of the image's file unless given, ``"array"`` of an array.
        overwrite : bool
            Replace files that emseg did not write.

        Returns
        -------
        dict
            The report as written, with the names of the files in `outputs`.

        Raises
        ------
        OutputError
            If a file cannot be written, or is not emseg's to replace.

        Examples
        --------
        >>> import numpy as np, emseg, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     list(emseg.denoise(np.eye(20), sigma=0).save(folder, name="eye")["outputs"])
        ['eye.denoised.tif']
        """
        from emseg.commands.results.result_files import save_restored  # the command line has its own way

        always, suffix, more = self._files()
        return save_restored(self.image, folder, name, always, suffix, self.report, overwrite, **more)

    def _files(self) -> tuple[Mapping[str, str], str, Mapping[str, Callable[[], bytes]]]:
        """Suffixes of the files by kind, that of the report, and writers of all but the image."""
        raise NotImplementedError
