"""A PNG without the chunks that a decoder may do without and stumbles over (PNG, third edition, section 5.3)."""

from __future__ import annotations

import struct
import zlib

from emseg.records import NamedRecord

_START, _CHUNK = 8, 12  # bytes before the first chunk, and of a chunk besides its data
TEXTS = (b"tEXt", b"zTXt", b"iTXt")
_LOWER = 0x20  # bit of the first letter of a chunk that is not critical


class Rest(NamedRecord):
    """What is left of a PNG.

    Attributes
    ----------
    data : bytes
    damaged : tuple of str
        Names of the chunks that were left out because their checksums are wrong; texts are not named.
    """

    data: bytes
    damaged: tuple[str, ...]


def without_texts_and_damage(data: bytes) -> Rest:
    """The file without texts, which may be long, and without chunks that are not critical and whose sums are wrong."""
    kept, damaged, at = [data[:_START]], [], _START
    while at + _CHUNK <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        end = at + _CHUNK + length
        chunk = data[at:end]
        at = end
        if name[0] & _LOWER:
            right = chunk[-4:] == struct.pack(">I", zlib.crc32(chunk[4:-4]))
            if name in TEXTS or not right:
                damaged += [] if name in TEXTS else [name.decode("latin-1")]
                continue
        kept.append(chunk)
    kept.append(data[at:])
    return Rest(b"".join(kept), tuple(damaged))
