"""Files of FEFF output, from a folder or a tar archive: the small ones, and spectra to be read.

Only regular files are read, none beyond ``limits``. Whatever cannot be read, or stands in an
archive twice with different content, is a reason to reject the runs that need it.
"""

from __future__ import annotations

import hashlib
import tarfile
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath

from xascoord.core.errors import LimitError, NotAFileError, SourceError
from xascoord.core.files import open_regular, read_file
from xascoord.core.rejections import Reason, RejectedSpectrum, one_document
from xascoord.settings.limits import Limits
from xascoord.sources.archives import DAMAGED, TOGETHER, check_ending

_READ = ("xmu.dat", "POSCAR", "feff.inp", "log1.dat")
_SPECTRUM = "xmu.dat"
Content = Callable[[], bytes]


class Files(dict[PurePosixPath, Content]):
    """Small files by name."""

    def content(self, name: PurePosixPath) -> bytes | None:
        """Bytes of a file; None where there is none.

        Raises
        ------
        RejectedSpectrum
            If it cannot be read, or is larger than it may be.
        """
        return read_content(self[name]) if name in self else None


def read_content(content: Content) -> bytes:
    """Bytes of a file of a run.

    Raises
    ------
    RejectedSpectrum
        If it cannot be read, or is larger than it may be.
    """
    try:
        with one_document():
            return content()
    except (PermissionError, FileNotFoundError) as error:
        raise RejectedSpectrum(Reason.UNREADABLE, f"cannot be read: {error.strerror}") from None


def contents(path: Path, limits: Limits) -> tuple[Files, Iterator[tuple[PurePosixPath, Content]]]:
    """The small files, and the spectra, each to be read, of a folder or an archive.

    Raises
    ------
    SourceError
        If it is neither a folder nor a whole archive.
    """
    if path.is_dir():
        found = {
            PurePosixPath(p.relative_to(path).as_posix()): partial(read_file, p, limits.file_bytes)
            for p in sorted(p for p in path.rglob("*") if p.name in _READ and p.is_file())
        }
        small = Files({name: read for name, read in found.items() if name.name != _SPECTRUM})
        return small, ((name, read) for name, read in found.items() if name.name == _SPECTRUM)
    try:
        open_regular(path).close()
        twice = _check_archive(path)
        return _small_members(path, limits), _spectra(path, limits, twice)
    except DAMAGED as error:
        raise SourceError(
            f"feff.path: {path} is neither a folder nor a whole tar archive ({error}); "
            "fetch it again"
        ) from None
    except (NotAFileError, LimitError) as error:
        raise SourceError(f"feff.path: {path}: {error}") from None


def _check_archive(path: Path) -> set[PurePosixPath]:
    """Read an archive to its end; names of spectra that stand in it more than once."""
    with tarfile.open(path) as archive:
        names = Counter(PurePosixPath(m.name) for m in archive if _is_wanted(m, spectra=True))
        check_ending(archive)
    return {name for name, count in names.items() if count > 1}


def _is_wanted(member: tarfile.TarInfo, spectra: bool) -> bool:
    name = PurePosixPath(member.name).name
    return member.isfile() and name in _READ and (name == _SPECTRUM) == spectra


def _small_members(path: Path, limits: Limits) -> Files:
    found = Files()
    held: dict[PurePosixPath, bytes] = {}
    size = 0
    with tarfile.open(path) as archive:
        for member in archive:
            if not _is_wanted(member, spectra=False):
                continue
            name = PurePosixPath(member.name)
            try:
                content = _content(archive, member, limits)
            except LimitError as error:
                found[name] = partial(_refuse, error)
                continue
            if held.setdefault(name, content) != content:
                found[name] = partial(_refuse, _two_of(name))
            elif name not in found:
                found[name] = partial(held.__getitem__, name)
                size += len(content)
                if size > TOGETHER * limits.file_bytes:
                    raise LimitError(
                        f"its small files are together larger than {TOGETHER} times "
                        f"limits.file_bytes ({limits.file_bytes:,})"
                    )
    return found


def _spectra(
    path: Path, limits: Limits, twice: set[PurePosixPath]
) -> Iterator[tuple[PurePosixPath, Content]]:
    differing = _differing(path, limits, twice) if twice else set()
    with tarfile.open(path) as archive:
        for member in archive:
            if not _is_wanted(member, spectra=True):
                continue
            name = PurePosixPath(member.name)
            if name in differing:
                yield name, partial(_refuse, _two_of(name))
            else:
                yield name, partial(_content, archive, member, limits)


def _differing(path: Path, limits: Limits, twice: set[PurePosixPath]) -> set[PurePosixPath]:
    """Those of some names whose members are not all the same."""
    digests: dict[PurePosixPath, set[str]] = {name: set() for name in twice}
    with tarfile.open(path) as archive:
        for member in archive:
            name = PurePosixPath(member.name)
            if name in twice and _is_wanted(member, spectra=True):
                try:
                    content = _content(archive, member, limits)
                    digests[name].add(hashlib.sha256(content).hexdigest())
                except LimitError:
                    digests[name].add("beyond the limit")
    return {name for name, found in digests.items() if len(found) > 1}


def _two_of(name: PurePosixPath) -> RejectedSpectrum:
    return RejectedSpectrum(Reason.DUPLICATE, f"two different {name.name} of this path")


def _refuse(error: Exception) -> bytes:
    raise error


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo, limits: Limits) -> bytes:
    if member.size > limits.file_bytes:
        raise LimitError(f"{member.size:,} bytes; limits.file_bytes allows {limits.file_bytes:,}")
    handle = archive.extractfile(member)
    return handle.read() if handle else b""
