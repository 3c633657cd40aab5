"""From the packed bytes of strips or tiles to samples: who unpacks them, and whether they are all there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.image.damage.jpeg_scans import NOISE, ends_flat, require_few_scans, with_noise
from emseg.image.strips.codecs import CODECS, unpack_bytes
from emseg.image.strips.directory import Directory
from emseg.image.strips.layout import RAW, Layout
from emseg.image.strips.libtiff import unpacked
from emseg.image.strips.streams import decoded
from emseg.image.strips.unpack import samples_of, without_predictor
from emseg.records import NamedRecord

PACKBITS = 32773
#: Black runs of 64 after marks of a line's end, of one and of two dimensions (ITU-T T.4, tables 2 to 4).
_LINES = ["000000000001" + mark + "00110101" + "0000001111" + "0000110111" for mark in ("", "1")]
FAX_NOISE = (NOISE, *(int(400 * line, 2).to_bytes(50 * len(line), "big") for line in _LINES))
_GREY, _RGB, _CMYK, _YCBCR = 1, 2, 5, 6
#: How libtiff is lent a JPEG of so many samples a pixel, so that it leaves their values as they are.
_JPEG = {1: _GREY, 2: _GREY, 3: _RGB, 4: _CMYK}
_TABLES, _EXTRA, _T4, _T6, _LERC = 347, 338, 292, 293, 50674
_SHORT, _LONG, _RATIONAL, _UNDEFINED = 3, 4, 5, 7
#: Tags that say how YCbCr is meant, and their types: coefficients, subsampling, position, range.
_COLOURS = ((529, _RATIONAL), (530, _SHORT), (531, _SHORT), (532, _RATIONAL))
Packed = Sequence[bytes | memoryview]
Tags = list[tuple[int, int, Any]]


class Decoder(NamedRecord):
    """Decodes segments of a page that follow one another.

    Attributes
    ----------
    page : Directory
    layout : Layout
    """

    page: Directory
    layout: Layout

    def way(self) -> Callable[[Sequence[memoryview], int], NDArray[Any]]:
        """The function from packed segments, and the rows of all of them, to samples (rows, columns, together).

        Raises
        ------
        NotImplementedError
            If there is none; the message names what is not read.
        """
        layout, codec = self.layout, CODECS.get(self.layout.compression)
        if codec is None or not codec.by:
            raise NotImplementedError(f"compression {layout.compression}" if codec is None else codec.name)
        if codec.by == "stream":  # red, green and blue when it is decoded
            return self.by_stream
        if layout.photometric == _YCBCR:
            if layout.planar or layout.samples != 3 or layout.dtype != np.uint8:
                raise NotImplementedError("YCbCr of another kind than three samples of 8 bits")
            return self.by_colours
        return {"bits": self.by_bits, "jpeg": self.by_jpeg}.get(codec.by, self.by_bytes)

    def by_bytes(self, packed: Sequence[memoryview], height: int) -> NDArray[Any]:
        """Samples that are packed as bytes of any meaning."""
        layout = self.layout
        rows = unpack_bytes(packed, layout.rows, layout.row_bytes, height, layout.compression)
        return samples_of(rows, layout, 1 if CODECS[layout.compression].by == "copy" else layout.predictor)

    def by_bits(self, packed: Packed, height: int) -> NDArray[Any]:
        """Bits that are packed like a fax. Where data end, libtiff goes on in white: what noise behind them shows."""
        layout = self.layout
        if (layout.bits, layout.together) != (1, 1):
            raise ValueError("only bits can be compressed like a fax")
        tags: Tags = [(code, _LONG, [self.page.number(code, 0)]) for code in (_T4, _T6) if code in self.page.entries]

        def lent(parts: Packed) -> NDArray[np.uint8]:
            return unpacked(parts, (height, layout.columns), layout.rows, layout.compression, tags, bits=1)

        rows = lent(packed)
        for noise in FAX_NOISE:
            if not np.array_equal(rows, lent([bytes(part) + noise for part in packed])):
                raise ValueError("a strip ends early")
        return samples_of(rows, layout, 1)

    def by_stream(self, packed: Sequence[memoryview], height: int) -> NDArray[Any]:
        """Segments that are images of their own."""
        layout, lerc = self.layout, self.page.numbers(_LERC)
        rows, name = layout.rows, CODECS[layout.compression].name
        packing, tables = int(lerc[1]) if lerc.size > 1 else 0, self.page.numbers(_TABLES).tobytes()
        parts = [
            decoded(part, layout, min(rows, height - at * rows), name, packing, tables)
            for at, part in enumerate(packed)
        ]
        return without_predictor(np.concatenate(parts), layout.predictor)

    def by_jpeg(self, packed: Sequence[memoryview], height: int) -> NDArray[Any]:
        """Streams of JPEG whose samples are left as they are."""
        together = self.layout.together
        if self.layout.bits != 8 or together not in _JPEG:
            return self.by_stream(packed, height)
        return self._jpeg(packed, height, [(_EXTRA, _SHORT, [2])] if together == 2 else [], _JPEG[together])

    def by_colours(self, packed: Sequence[memoryview], height: int) -> NDArray[Any]:
        """YCbCr, of which several pixels may share colours; it becomes red, green and blue."""
        layout, page = self.layout, self.page
        tags: Tags = [(code, kind, page.numbers(code)) for code, kind in _COLOURS if code in page.entries]
        by = CODECS[layout.compression].by
        if by == "jpeg":
            return self._jpeg(packed, height, tags, _YCBCR)
        if layout.predictor != 1:
            raise NotImplementedError(f"predictor {layout.predictor} for YCbCr")
        if layout.compression == RAW:  # Pillow would not ask libtiff
            return self._lent([_literal(part) for part in packed], height, PACKBITS, tags, _YCBCR)
        return self._lent(packed, height, layout.compression, tags, _YCBCR)

    def _jpeg(self, packed: Packed, height: int, tags: Tags, photometric: int) -> NDArray[Any]:
        """Streams of JPEG. If the last block of one is flat, as those are that are missing, noise shows which it is."""
        rows, code = self.layout.rows, self.layout.compression
        if _TABLES in self.page.entries:
            tags = [*tags, (_TABLES, _UNDEFINED, self.page.numbers(_TABLES).tobytes())]
        for part in packed:
            require_few_scans(bytes(part))
        found = self._lent(packed, height, code, tags, photometric)
        ends = [ends_flat(found[top : top + rows]) for top in range(0, height, rows)]
        if any(ends):
            longer = [with_noise(bytes(part)) if end else part for part, end in zip(packed, ends, strict=True)]
            if not np.array_equal(found, self._lent(longer, height, code, tags, photometric)):
                raise ValueError("a strip or tile ends early")
        return found

    def _lent(self, packed: Packed, height: int, compression: int, tags: Tags, photometric: int) -> NDArray[Any]:
        """Segments lent to libtiff as they are."""
        size, many = (height, self.layout.columns), self.layout.together
        rows = unpacked(packed, size, self.layout.rows, compression, tags, many, photometric=photometric)
        return rows.reshape(height, self.layout.columns, -1)[:, :, :many]


def _literal(raw: memoryview) -> bytes:
    """Bytes as PackBits stores them if nothing repeats: 128 at a time, after their number less one."""
    return b"".join(bytes((len(part) - 1,)) + part for part in (raw[at : at + 128] for at in range(0, len(raw), 128)))
