"""Small files: written under a temporary name and renamed, so a kill leaves old or new."""

from __future__ import annotations

import csv
import json
import os
import re
import stat
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from xascoord.core.errors import LimitError, NotAFileError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary name beside a file; what was written there takes its place at the end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    yield temporary
    temporary.replace(path)


def write_csv(path: Path, rows: Iterable[dict[str, Any]], columns: Sequence[str]) -> None:
    """Write a small table for people, atomically."""
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Write a small record for programs, atomically, its keys in order."""
    write_text(path, json.dumps(values, indent=1, sort_keys=True) + "\n")


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file atomically."""
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def open_regular(path: Path) -> IO[bytes]:
    """Open a file to read; pipes and devices, which may never end, are not opened.

    Raises
    ------
    NotAFileError
        If it is no regular file.
    OSError
        If it cannot be opened.
    """
    # Without O_NONBLOCK, opening a pipe waits for somebody to write.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotAFileError("not a regular file")
    return os.fdopen(descriptor, "rb")


def read_within(handle: IO[bytes], most: int, limit: str) -> bytes:
    """The rest of a stream, if it is no longer than it may be.

    Parameters
    ----------
    handle
        Open for reading; of a compressed stream the unpacked bytes count.
    most
        Bytes that are allowed.
    limit
        Name of the setting, for the message.

    Raises
    ------
    LimitError
        If there is more.
    """
    content = handle.read(most + 1)
    if len(content) > most:
        raise LimitError(f"larger than limits.{limit} allows ({most:,} bytes)")
    return content


def read_file(path: Path, most: int, limit: str = "file_bytes") -> bytes:
    """Content of a regular file of no more bytes than allowed (see ``read_within``)."""
    with open_regular(path) as handle:
        size = os.fstat(handle.fileno()).st_size
        if size > most:
            raise LimitError(f"{size:,} bytes; limits.{limit} allows {most:,}")
        return read_within(handle, most, limit)


# All that str.splitlines takes for the end of a line, as UTF-8.
_LINE_ENDS = (b"\n", b"\r", b"\x0b", b"\x0c", b"\x1c", b"\x1d", b"\x1e",
              b"\xc2\x85", b"\xe2\x80\xa8", b"\xe2\x80\xa9")  # fmt: skip


def check_text(content: bytes, most_lines: int, most_bytes: int) -> None:
    """Look at the lines of a text before a parser does that takes many times their memory.

    Parameters
    ----------
    content
        The text.
    most_lines, most_bytes
        ``limits.points``, and ``limits.line_bytes`` of each line.

    Raises
    ------
    LimitError
        Naming the limit.
    """
    lines = sum(map(content.count, _LINE_ENDS))
    if lines > most_lines:
        raise LimitError(f"{lines:,} lines; limits.points allows {most_lines:,}")
    longest = max(map(len, re.split(rb"[\r\n]", content)))
    if longest > most_bytes:
        raise LimitError(f"a line of {longest:,} bytes; limits.line_bytes allows {most_bytes:,}")


def unpack_within(data: bytes, most: int, limit: str = "file_bytes") -> bytes:
    """Content of gzip-compressed bytes, if it is no longer than it may be.

    Raises
    ------
    LimitError
        If it is.
    EOFError, zlib.error
        If they are damaged.
    """
    found = b""
    while data:
        member = zlib.decompressobj(wbits=31)
        found += member.decompress(data, most + 1 - len(found))
        if len(found) > most:
            raise LimitError(f"unpacked, larger than limits.{limit} allows ({most:,} bytes)")
        if not member.eof:
            raise EOFError("ends before its end")
        data = member.unused_data.lstrip(b"\0")
    return found
