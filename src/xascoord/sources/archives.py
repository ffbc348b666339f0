"""Tar archives to their end: one that is cut off or damaged is an error, never fewer members."""

from __future__ import annotations

import lzma
import tarfile
import zlib

# What reading a damaged archive raises.
DAMAGED = (tarfile.TarError, OSError, EOFError, zlib.error, lzma.LZMAError, ValueError)
TOGETHER = 10  # times limits.file_bytes: what is taken out of an archive at once


def check_ending(archive: tarfile.TarFile) -> None:
    """Read an archive whose members are all known to its end.

    tarfile takes damage in the middle, and any block of zeros, for the end.

    Parameters
    ----------
    archive
        Iterated through; the place in it is the end afterwards.

    Raises
    ------
    tarfile.ReadError
        If the members end before the archive does.
    OSError, EOFError, zlib.error, lzma.LZMAError
        If it is compressed and damaged behind its members.
    """
    stream = archive.fileobj
    assert stream is not None
    stream.seek(archive.offset)
    ending = stream.read(tarfile.BLOCKSIZE)
    if len(ending) < tarfile.BLOCKSIZE or ending.strip(b"\0"):
        raise tarfile.ReadError("it is cut off or damaged in the middle")
    # To the end, where a compressed stream checks its checksum.
    while chunk := stream.read(1 << 20):
        if chunk.count(0) != len(chunk):
            raise tarfile.ReadError("a block of zeros ends it, but more comes behind")
