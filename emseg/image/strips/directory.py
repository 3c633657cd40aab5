"""The tags of one page, read by need and never beyond the bytes that the file has (TIFF 6.0, section 2; BigTIFF)."""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from emseg.records import NamedRecord

#: Types of values as numpy calls them; texts and undefined bytes are bytes, a rational is two integers.
TYPES = {1: "u1", 2: "u1", 3: "u2", 4: "u4", 5: "u4", 6: "i1", 7: "u1", 8: "i2", 9: "i4", 10: "i4", 11: "f4", 12: "f8"}
TYPES |= {13: "u4", 16: "u8", 17: "i8", 18: "u8"}
SIZES = {kind: int(name[1:]) * (2 if kind in (5, 10) else 1) for kind, name in TYPES.items()}  # bytes
Order = Literal["<", ">"]
_PAIRS = (5, 10)
_TEXT, _UNDEFINED = 2, 7
#: Numbers of a tag that become Python's own: a thousand times what writers put into those that are asked for.
MOST_NUMBERS = 1 << 20


class Entry(NamedRecord):
    """Where the values of a tag are.

    Attributes
    ----------
    kind : int
        A key of `TYPES`.
    length : int
        How many numbers: twice as many as rationals.
    offset : int
        Of the first byte in the file.
    """

    kind: int
    length: int
    offset: int


class Directory(NamedRecord):
    """The tags of one page.

    Attributes
    ----------
    data : bytes
        The whole file.
    order : {"<", ">"}
        Of its bytes.
    entries : mapping
        By the number of the tag.
    following : int
        Where the directory of the next page is; 0 after the last.
    """

    data: bytes
    order: Order
    entries: Mapping[int, Entry]
    following: int

    def numbers(self, code: int) -> NDArray[Any]:
        """All values of a tag; none if the page does not have it."""
        entry = self.entries.get(code)
        if entry is None:
            return np.empty(0, np.int64)
        dtype = np.dtype(TYPES[entry.kind]).newbyteorder(self.order)
        return np.frombuffer(self.data, dtype, entry.length, entry.offset)

    @property
    def values(self) -> Values:
        """The tags as a mapping from numbers to Python's own numbers and texts."""
        return Values(self)

    def number(self, code: int, default: int) -> int:
        """The first value of a tag as an integer."""
        entry = self.entries.get(code)
        if entry is None or entry.length < 1:
            return default
        return int(self.numbers(code)[0])


class Values(Mapping[int, Any]):
    """The tags of a page as a mapping; a value is made when it is asked for.

    A text is a `str`, undefined bytes are `bytes`, one number is itself, and several numbers are a tuple.
    """

    def __init__(self, page: Directory) -> None:
        self.page = page

    def __getitem__(self, code: int) -> Any:
        entry = self.page.entries[code]
        if entry.length > MOST_NUMBERS and entry.kind not in (_TEXT, _UNDEFINED):
            raise ValueError(f"tag {code} has {entry.length} numbers")
        found = self.page.numbers(code)
        if entry.kind == _UNDEFINED:
            return found.tobytes()
        if entry.kind == _TEXT:
            raw = found.tobytes().rstrip(b"\0")
            try:
                return raw.decode("utf-8").strip()
            except UnicodeDecodeError:
                return raw.decode("latin-1").strip()
        return found[0].item() if found.size == 1 else tuple(found.tolist())

    def __iter__(self) -> Iterator[int]:
        return iter(self.page.entries)

    def __len__(self) -> int:
        return len(self.page.entries)


def directory_at(data: bytes, offset: int) -> Directory:
    """The directory that starts at a byte of the file.

    Raises
    ------
    ValueError
        If it does not lie in the file, or its values are more than the file has: then they lie on one another, and
        reading all of them would fill the memory.
    """
    order, wide = _byte_order(data)
    counted, size, slot = ("Q", 20, 8) if wide else ("H", 12, 4)
    head = struct.calcsize(order + counted)
    try:
        (tags,) = struct.unpack_from(order + counted, data, offset)
    except struct.error as error:
        raise ValueError("a directory lies outside of the file") from error
    start, end = offset + head, offset + head + tags * size
    if tags < 1 or end + slot > len(data):
        raise ValueError("a directory lies outside of the file")
    entries: dict[int, Entry] = {}
    total = 0
    address = order + ("Q" if wide else "I")
    for at in range(start, end, size):
        code, kind, count = struct.unpack_from(order + ("HHQ" if wide else "HHI"), data, at)
        if kind not in TYPES:
            continue  # of a type to come: a reader is to pass over it
        numbers = count * (2 if kind in _PAIRS else 1)
        length = numbers * np.dtype(TYPES[kind]).itemsize
        at += size - slot
        where = at if length <= slot else struct.unpack_from(address, data, at)[0]
        total += 0 if length <= slot else length
        if where + length > len(data) or total > len(data):
            raise ValueError("the tags claim more bytes than the file has")
        entries.setdefault(code, Entry(kind, numbers, where))
    (following,) = struct.unpack_from(address, data, end)
    return Directory(data, order, entries, following)


def short_tags(data: bytes, offset: int, codes: Collection[int]) -> Iterator[tuple[int, ...]]:
    """Those of some tags of the directory at a byte whose values lie in it: number, type, count and value as stored.

    Of others, the count alone. It is ten times as fast as `directory_at`.

    Raises
    ------
    ValueError
        If the directory does not lie in the file.
    """
    order, wide = _byte_order(data)
    head, entry, slot = (8, struct.Struct(order + "HHQQ"), 8) if wide else (2, struct.Struct(order + "HHII"), 4)
    (tags,) = struct.unpack_from(order + ("Q" if wide else "H"), data, offset)
    end = offset + head + tags * entry.size
    if end > len(data):
        raise ValueError("a directory lies outside of the file")
    for code, kind, count, value in entry.iter_unpack(memoryview(data)[offset + head : end]):
        if code in codes:
            yield (code, kind, count, value if count * SIZES.get(kind, slot) <= slot else 0)


def page_offsets(data: bytes) -> Iterator[int]:
    """Where the directories of all pages start, in order.

    Raises
    ------
    ValueError
        If one lies outside of the file, or the pages go round in a circle.
    """
    order, wide = _byte_order(data)
    counted, size, address = (order + "Q", 20, order + "Q") if wide else (order + "H", 12, order + "I")
    (offset,) = struct.unpack_from(address, data, 8 if wide else 4)
    seen: set[int] = set()
    try:
        while offset:
            if offset in seen:
                raise ValueError("the pages go round in a circle")
            seen.add(offset)
            yield offset
            (tags,) = struct.unpack_from(counted, data, offset)
            (offset,) = struct.unpack_from(address, data, offset + struct.calcsize(counted) + tags * size)
    except (struct.error, OverflowError) as error:
        raise ValueError("a directory lies outside of the file") from error


def _byte_order(data: bytes) -> tuple[Order, bool]:
    """The order of bytes, and whether offsets have 64 bits."""
    orders: dict[bytes, Order] = {b"II": "<", b"MM": ">"}
    order = orders.get(data[:2])
    if order is None or len(data) < 16:
        raise ValueError("the file is cut short")
    (version,) = struct.unpack_from(order + "H", data, 2)
    if version not in (42, 43):
        raise ValueError(f"version {version} of TIFF is not read")
    return order, version == 43
