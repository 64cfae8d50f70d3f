"""HDF5's own metadata checksums, computed again as a hostile author would.

HDF5 File Format Specification 3.0: the superblock (II.A), object headers and their continuations
(IV.A.1.b) end with Jenkins' lookup3 of all bytes before it. Our files hold no other checksummed metadata;
a test looks for the signatures of all others.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

SUPERBLOCK_BYTES = 48
OTHERS = (
    *(b"TREE", b"SNOD", b"HEAP", b"GCOL", b"FRHP", b"FHDB", b"FHIB", b"FSHD", b"FSSE", b"SMTB", b"SMLI"),
    *(b"BTHD", b"BTIN", b"BTLF", b"FAHD", b"FADB", b"EAHD", b"EAIB", b"EASB", b"EADB"),
)
"""Signatures of what HDF5 could keep besides: B-trees, heaps, free space, shared messages, chunk arrays."""
_CONTINUATION = 0x10
_WORD = 0xFFFFFFFF


def lookup3(data: bytes) -> int:
    """Return Bob Jenkins' lookup3 (hashlittle, initial value 0)."""
    a = b = c = (0xDEADBEEF + len(data)) & _WORD
    if not data:
        return c
    padded = data + bytes(-len(data) % 12)
    words = struct.unpack(f"<{len(padded) // 4}I", padded)
    last = len(words) - 3
    for at in range(0, len(words), 3):
        a, b, c = (a + words[at]) & _WORD, (b + words[at + 1]) & _WORD, (c + words[at + 2]) & _WORD
        if at == last:
            break
        for shift in (4, 6, 8, 16, 19, 4):
            a, b, c = _mixed(a, b, c, shift)
    return _final(a, b, c)


def _mixed(a: int, b: int, c: int, shift: int) -> tuple[int, int, int]:
    """Take one of the six steps of mix(), the roles of a, b and c turned on."""
    a = ((a - c) & _WORD) ^ _turned(c, shift)
    return b, (c + b) & _WORD, a


def _final(a: int, b: int, c: int) -> int:
    for shift in (14, 11, 25, 16, 4, 14, 24):
        # c ^= b; c -= rot(b, shift); then the roles turn: a by c, b by a, c by b.
        c = ((c ^ b) - _turned(b, shift)) & _WORD
        a, b, c = b, c, a
    return b


def _turned(word: int, shift: int) -> int:
    return ((word << shift) | (word >> (32 - shift))) & _WORD


def structures(body: bytes | bytearray) -> Iterator[tuple[int, int]]:
    """Yield where each checksummed structure and where its checksum begins; only those inside the file.

    Args:
        body: The HDF5 part of a file, as long as its lengths and addresses may say anything.
    """
    if len(body) >= SUPERBLOCK_BYTES:
        yield 0, SUPERBLOCK_BYTES - 4
    at = body.find(b"OHDR")
    while at >= 0:
        yield from _object_header(body, at)
        at = body.find(b"OHDR", at + 4)


def repair(body: bytearray) -> None:
    """Write the right checksum behind every structure."""
    for start, end in structures(body):
        body[end : end + 4] = struct.pack("<I", lookup3(bytes(body[start:end])))


def _object_header(body: bytes | bytearray, at: int) -> Iterator[tuple[int, int]]:
    """Yield the extents of a version 2 object header and of the continuations that its messages name."""
    if at + 6 > len(body):
        return
    flags = body[at + 5]
    size_bytes = 1 << (flags & 3)
    first = at + 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0) + size_bytes
    end = first + int.from_bytes(body[first - size_bytes : first], "little")
    if end + 4 > len(body):
        return
    yield at, end
    header, waiting, seen = 6 if flags & 4 else 4, [(first, end)], {at}
    while waiting:
        for start, length in _continuations(body, *waiting.pop(), header=header):
            if length >= 8 and start + length <= len(body) and start not in seen:
                seen.add(start)
                waiting.append((start + 4, start + length - 4))
                yield start, start + length - 4


def _continuations(body: bytes | bytearray, at: int, end: int, *, header: int) -> Iterator[tuple[int, int]]:
    """Yield place and length of the blocks that the messages of one block name."""
    while at + header <= end:
        size = int.from_bytes(body[at + 1 : at + 3], "little")
        if body[at] == _CONTINUATION and size >= 16 and at + header + 16 <= end:
            yield struct.unpack_from("<QQ", body, at + header)
        at += header + size
