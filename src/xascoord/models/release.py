"""Models of a run, put among those that come with the package."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from xascoord.core.errors import BundleError
from xascoord.core.files import write_bytes
from xascoord.models.bundles import load_bundle


def release_models(
    bundles: Path, classifier: str, out: Path, without: Collection[str] = ()
) -> list[str]:
    """Copy one classifier's bundles, cards and reference spectra, each looked at first.

    Parameters
    ----------
    bundles
        Folder with one folder an element.
    classifier
        Which models.
    out
        Folder of the origin.
    without
        Elements that are left out: another origin has better models of them.

    Returns
    -------
    list of str
        The elements.

    Raises
    ------
    BundleError
        If there are none, or one is damaged.
    """
    found = sorted(
        path for path in bundles.glob(f"*/{classifier}.skops") if path.parent.name not in without
    )
    if not found:
        raise BundleError(f"{bundles}: no models of {classifier} here")
    for path in found:
        load_bundle(path)
        for name in (path.name, f"{classifier}.md", "reference.parquet"):
            write_bytes(out / path.parent.name / name, path.with_name(name).read_bytes())
    return [path.parent.name for path in found]
