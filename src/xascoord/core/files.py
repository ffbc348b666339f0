"""Small files: written under a temporary name and renamed, so a kill leaves old or new."""

from __future__ import annotations

import contextlib
import csv
import errno
import glob
import json
import os
import platform
import re
import stat
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from xascoord.core.errors import LimitError, NotAFileError, StorageError, XascoordError

_REMEDIES = {
    errno.ENOSPC: "make room on that disk and run again",
    errno.EDQUOT: "make room within your quota and run again",
    errno.EFBIG: "raise the limit (ulimit -f), or write to a file system of larger files",
    errno.EROFS: "work in a folder that can be written to",
    errno.EACCES: "give yourself permission to write there, or work in another folder",
    errno.EPERM: "give yourself permission to write there, or work in another folder",
    errno.EIO: "the disk or its connection fails; see to that and run again",
    errno.ESTALE: "the folder was taken away by its server; come back to it and run again",
    errno.ENOTDIR: "a file stands where a folder has to be; remove or rename it",
    errno.EMFILE: "raise the limit of open files (ulimit -n) and run again",
    errno.ENFILE: "close other programs: this machine has too many files open",
}


def explain_fault(error: OSError, path: Path | str) -> str | None:
    """What hinders writing a file and what to do about it; None where no remedy is known.

    Parameters
    ----------
    error
        What the system said.
    path
        What was written.
    """
    remedy = _REMEDIES.get(error.errno or 0)
    return (
        f"{path}: cannot be written ({os.strerror(error.errno or 0)}); {remedy}" if remedy else None
    )


@contextmanager
def storing(path: Path) -> Iterator[None]:
    """Make one message, naming the file and the remedy, of what hinders writing it.

    Raises
    ------
    StorageError
        If the disk is full, the folder cannot be written to and the like.
    """
    try:
        yield
    except OSError as error:
        text = explain_fault(error, path)
        if text is None:
            raise
        raise StorageError(text) from None


def temporary_name(path: Path) -> Path:
    """A name beside a file, of this process; what dead processes left under theirs is removed.

    Parameters
    ----------
    path
        The file that is to be.
    """
    machine = platform.node()
    for left in path.parent.glob(f".{glob.escape(path.name)}.{machine}.*.tmp"):
        number = left.name.split(".")[-2]
        if number.isdigit() and not is_alive(int(number)):
            left.unlink(missing_ok=True)
    return path.with_name(f".{path.name}.{machine}.{os.getpid()}.tmp")


def is_alive(process: int) -> bool:
    """Whether a process of this machine is there.

    Parameters
    ----------
    process
        Its number.
    """
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's
        return True
    return True


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary name beside a file; what was written there takes its place at the end.

    Raises
    ------
    StorageError
        If it cannot be written; then nothing is left of it, and the file is as it was.
    """
    with storing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = temporary_name(path)
        try:
            yield temporary
            temporary.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise


def write_csv(path: Path, rows: Iterable[dict[str, Any]], columns: Sequence[str]) -> None:
    """Write a small table for people, atomically."""
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read_csv(path: Path) -> list[dict[str, str]]:
    """Read a small table, each line by its columns.

    Raises
    ------
    XascoordError
        If it is not there.
    """
    try:
        with path.open(newline="", encoding="utf-8") as handle:
            return list(csv.DictReader(handle))
    except FileNotFoundError:
        raise XascoordError(f"{path}: no such table; run the stage that writes it") from None


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
