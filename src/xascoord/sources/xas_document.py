"""A bulk dump of spectra as pymatgen ``XAS`` dictionaries: JSON, JSON lines, each also gzipped.

Accepted forms of a document: the ``XAS`` dictionary itself (x, y, structure, absorbing_element,
absorbing_index), or a record that holds it under ``spectrum``, or one whose ``spectrum`` is a
list of (energy, mu) pairs beside a ``structure`` and an ``absorbing_atom`` index. Files are
streamed; a broken document or file is rejected and the rest goes on.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from xascoord.core.errors import OF_THE_MACHINE, LimitError, StructureError
from xascoord.core.rejections import Reason, RejectedSpectrum
from xascoord.settings.limits import Limits
from xascoord.settings.tree import Settings
from xascoord.sources.collect import Spectrum
from xascoord.spectra.checks import check_spectrum
from xascoord.structures.identifiers import normalise_material_id, structure_digest
from xascoord.structures.symmetry import structure_row

# Top-level keys that tell a single document from a dump keyed by identifier.
DOCUMENT_KEYS = frozenset(
    ("@module", "@class", "x", "y", "spectrum", "structure", "absorbing_element", "edge",
     "task_id", "material_id", "mp_id", "mpid", "spectrum_type", "absorbing_atom", "_id", "tags",
     "last_updated", "nsites", "elements", "nelements", "composition", "composition_reduced",
     "formula_pretty", "formula_anonymous", "chemsys", "volume", "density", "density_atomic",
     "symmetry", "builder_meta", "spectrum_name", "spectrum_id", "warnings")
)  # fmt: skip


def identity_of(document: dict[str, Any]) -> str:
    """Name of a document for messages."""
    for key in ("material_id", "task_id", "mp_id", "mpid", "_id"):
        value = document.get(key)
        if isinstance(value, str) and value:
            return normalise_material_id(value)
    return ""


def claimed_element(document: Any) -> str:
    """The absorber that a document names, however it is written; empty where it names none."""
    element = ""
    if isinstance(document, dict):
        spectrum = document.get("spectrum")
        inner = spectrum if isinstance(spectrum, dict) else {}
        element = document.get("absorbing_element") or inner.get("absorbing_element") or ""
    if isinstance(element, dict):  # an Element as a dictionary
        element = element.get("element", "")
    return element if isinstance(element, str) else ""


def parse_document(
    document: Any, source: str, settings: Settings
) -> tuple[Spectrum, dict[str, Any]]:
    """One document as a spectrum and its structure row.

    Raises
    ------
    RejectedSpectrum
        With the reason.
    """
    if not isinstance(document, dict):
        raise RejectedSpectrum(Reason.WRONG_TYPE, f"a {type(document).__name__}, not an object")
    xas = (
        {**document, **document["spectrum"]}
        if isinstance(document.get("spectrum"), dict)
        else document
    )
    energy, mu = _arrays(xas, settings.limits)
    absorber = claimed_element(document)
    index = xas.get("absorbing_index")
    if index is None:
        index = xas.get("absorbing_atom")
    structure = _structure(xas, settings.limits)
    if not absorber and isinstance(index, int) and 0 <= index < len(structure):
        absorber = structure[index].specie.symbol
    if not absorber:
        raise RejectedSpectrum(Reason.MISSING_KEY, "no absorbing_element")
    _check_kind(xas, absorber, index, structure, settings)
    check_spectrum(energy, mu, absorber, settings.quality)
    cell = structure_digest(structure)
    material = identity_of(document) or f"{structure.composition.reduced_formula}-{cell}"
    try:
        # The cell is part of the name: documents of one material may order its atoms differently.
        identity = (f"{source}:{material}#{cell}", material, source)
        row = structure_row(structure, *identity, settings.quality.symmetry_precision)
    except StructureError as error:
        raise RejectedSpectrum(Reason.BAD_STRUCTURE, str(error)) from None
    kind = "averaged" if index is None else "site"
    position = -1 if index is None else int(index)
    key = f"{material}#{cell}/{absorber}/{'averaged' if index is None else position}"
    return Spectrum(key, material, absorber, kind, position, energy, mu), row


def _arrays(xas: dict[str, Any], limits: Limits) -> tuple[Any, Any]:
    x: Any
    y: Any
    pairs = xas.get("spectrum")
    if isinstance(pairs, list):
        x = [p[0] if isinstance(p, list) and len(p) > 1 else None for p in pairs]
        y = [p[1] if isinstance(p, list) and len(p) > 1 else None for p in pairs]
    else:
        for key in ("x", "y"):
            if key not in xas:
                raise RejectedSpectrum(Reason.MISSING_KEY, f"no {key}")
        x, y = (v.get("data") if isinstance(v, dict) else v for v in (xas["x"], xas["y"]))
    try:
        if not isinstance(x, list) or not isinstance(y, list):
            raise TypeError
        points = max(len(x), len(y))
        if points > limits.points:
            raise LimitError(f"{points:,} points; limits.points allows {limits.points:,}")
        if any(isinstance(value, str) for value in (*x, *y)):
            raise TypeError
        arrays = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    except (TypeError, ValueError):
        raise RejectedSpectrum(Reason.WRONG_TYPE, "x and y must be lists of numbers") from None
    if len(arrays[0]) == 0:
        raise RejectedSpectrum(Reason.EMPTY, "no points")
    return arrays


def _structure(xas: dict[str, Any], limits: Limits) -> Any:
    from pymatgen.core import Structure

    if not isinstance(xas.get("structure"), dict):
        raise RejectedSpectrum(Reason.NO_STRUCTURE, "no structure in the document")
    sites = xas["structure"].get("sites")
    if isinstance(sites, list) and len(sites) > limits.atoms:
        raise LimitError(f"{len(sites):,} atoms; limits.atoms allows {limits.atoms:,}")
    try:
        structure = Structure.from_dict(xas["structure"])
    except OF_THE_MACHINE:
        raise
    except Exception as error:  # pymatgen raises many kinds on malformed dictionaries
        detail = f"structure not readable: {type(error).__name__}: {error}"[:160]
        raise RejectedSpectrum(Reason.BAD_STRUCTURE, detail) from None
    if not structure.is_ordered:
        raise RejectedSpectrum(Reason.BAD_STRUCTURE, "partially occupied sites")
    return structure


def _check_kind(
    xas: dict[str, Any], absorber: str, index: Any, structure: Any, settings: Settings
) -> None:
    """Edge, kind of spectrum, composition and absorber must fit together."""
    edge, kind = str(xas.get("edge", "K")), str(xas.get("spectrum_type", "XANES"))
    if edge != "K" or kind != "XANES":
        raise RejectedSpectrum(Reason.OTHER_EDGE, f"{kind} of the {edge} edge")
    symbols = [site.specie.symbol for site in structure]
    if absorber not in settings.elements:
        raise RejectedSpectrum(
            Reason.OTHER_ELEMENT, f"{absorber} is not among the elements asked for"
        )
    if index is not None:
        if isinstance(index, bool) or not isinstance(index, int):
            raise RejectedSpectrum(Reason.WRONG_TYPE, f"absorbing_index is {index!r}"[:80])
        if not 0 <= index < len(symbols):
            raise RejectedSpectrum(
                Reason.SITE_OUT_OF_RANGE, f"site {index} of a structure of {len(symbols)} sites"
            )
        if symbols[index] != absorber:
            raise RejectedSpectrum(
                Reason.ELEMENT_MISMATCH, f"site {index} is {symbols[index]}, not {absorber}"
            )
    elif absorber not in symbols:
        raise RejectedSpectrum(Reason.ELEMENT_MISMATCH, f"no {absorber} in the structure")
    if settings.quality.oxides_only and "O" not in symbols:
        raise RejectedSpectrum(Reason.NOT_AN_OXIDE, structure.composition.reduced_formula)
