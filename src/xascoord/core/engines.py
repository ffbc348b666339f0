"""What spectra were computed by, as the beginnings of their names tell."""

from __future__ import annotations

PATHS = "path expansions (FEFF8L), poor near the edge"
# What models are good for that learnt these.
PATHS_DOUBT = "serve to run the chain: do not rely on what they say of measured spectra"
_MULTIPLE = "full multiple scattering"
_ENGINES = {
    "embedded:feff10/": f"{_MULTIPLE} (FEFF10)",
    "embedded:paths/": PATHS,
    "demo:": PATHS,
    "crystals:": f"{_MULTIPLE} (FEFF10)",
    "omnixas:": f"{_MULTIPLE} (FEFF 9, OmniXAS)",
    "feff:": "imported FEFF output",
    "xasdb_archive:": f"{_MULTIPLE} (FEFF 9, XASDB)",
    "materials_project:": f"{_MULTIPLE} (FEFF 9, Materials Project)",
}


def engine_of(spectrum_id: str) -> str:
    """What a spectrum was computed by, in words; "unknown" for names of other forms."""
    found = (words for start, words in _ENGINES.items() if spectrum_id.startswith(start))
    return next(found, "unknown")


def is_balanced(spectrum_id: str) -> bool:
    """Whether a spectrum is of a set chosen so that no coordination number dominates."""
    return spectrum_id.startswith(("embedded:", "crystals:", "demo:"))
