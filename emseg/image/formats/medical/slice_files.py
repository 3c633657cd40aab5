"""Whether files of their own are slices of one series, by their headers alone."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec

_WORDS = ["SeriesInstanceUID", "ImagePositionPatient"]


def of_one_series(paths: Iterable[str]) -> bool:
    """Whether DICOM files are of one series, and at different places; False where that cannot be read."""
    if find_spec("pydicom") is None:
        return False
    import pydicom

    series, places = set(), []
    for path in paths:
        try:
            header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=_WORDS)
            series.add(str(header.SeriesInstanceUID))
            places.append(tuple(map(float, header.ImagePositionPatient)))
        except Exception:  # pydicom has errors of many kinds, and the one that counts is that of reading the image
            return False
    return len(series) == 1 and "" not in series and len({*places}) == len(places)
