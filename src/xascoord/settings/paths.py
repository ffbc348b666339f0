"""Files and folders that the settings name: all of them must be there before anything runs.

Snakemake does not miss an input of a rule whose results stand already: a typo would quietly leave
the results of other data in place.
"""

from __future__ import annotations

from pathlib import Path

from xascoord.core.errors import SettingsError
from xascoord.settings.tree import Settings


def named_paths(settings: Settings) -> dict[str, str]:
    """Paths that a run with these settings reads, by the name of the setting."""
    found: dict[str, str | None] = {
        "validation.manifest": settings.validation.manifest,
        "validation.compounds": settings.validation.compounds,
        "validation.folder": settings.validation.folder,
        "geometries.published": settings.geometries.published,
        "oxygen.folder": settings.oxygen.folder,
        "oxygen.feff": settings.oxygen.feff,
    }
    if "embedded" in settings.sources:
        found["embedded.folder"] = settings.embedded.folder
    if {"embedded", "demo", "crystals"} & set(settings.sources):  # these fill up with it
        found["demo.folder"] = settings.demo.folder
    if "crystals" in settings.sources:
        found["crystals.packed"] = settings.crystals.packed
    if "feff" in settings.sources:
        found["feff.path"] = settings.feff.path
        found["feff.run.structures"] = settings.feff.run.structures
    if "omnixas" in settings.sources:
        found["omnixas.path"] = settings.omnixas.path
        found["omnixas.structures"] = settings.omnixas.structures
    if "xasdb_archive" in settings.sources:
        found["xasdb_archive.path"] = settings.xasdb_archive.path
    return {name: path for name, path in found.items() if path is not None}


def check_paths(settings: Settings, origin: str, folder: Path = Path()) -> None:
    """Look whether everything is there that the settings name.

    Parameters
    ----------
    settings
        The whole of them.
    origin
        File that they came from, for the message.
    folder
        What relative paths are relative to.

    Raises
    ------
    SettingsError
        Naming the file, each setting whose path is not there, and the remedy.
    """
    missing = [
        f"{origin}: {name}: {path!r} does not exist; correct it, or put it there "
        "('xascoord fetch list' shows data sets that can be had)"
        for name, path in named_paths(settings).items()
        if not (folder / path).exists()
    ]
    if missing:
        raise SettingsError("\n".join(missing))
