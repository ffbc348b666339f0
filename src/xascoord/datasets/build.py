"""The two data sets of an element: site-specific spectra and site-averaged ones.

Sources are merged first (the same site from two sources is kept once), averages are built where
every inequivalent site is there, and every spectrum is brought to the window of the models.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from xascoord.core.errors import AccountingError
from xascoord.core.rejections import Reason, RejectedSpectrum, Rejection
from xascoord.datasets.duplicates import by_precedence, drop_duplicates
from xascoord.settings.tree import Settings
from xascoord.spectra.averaging import average_sites, missing_orbits
from xascoord.spectra.edge_energy import find_e0, find_onset
from xascoord.spectra.window import cut_window
from xascoord.structures.groups import group_materials
from xascoord.structures.identifiers import CLUSTER
from xascoord.structures.matching import OrbitNames, name_orbits, same_crystal

Row = dict[str, Any]
_NAMED_SITES = 5


@dataclass(frozen=True)
class Datasets:
    """Rows of both data sets of one element, and what was left out of them."""

    site: list[Row]
    averaged: list[Row]
    rejections: list[Row]


def build_datasets(
    element: str, spectra: Sequence[Row], structures: Sequence[Row], settings: Settings
) -> Datasets:
    """Build the data sets of one element from the tables of all its sources.

    Parameters
    ----------
    element
        Absorber.
    spectra, structures
        Rows of ``schemas.SPECTRA`` and ``schemas.STRUCTURES``, in the order of the sources.
    settings
        Window, energy reference, averaging, order of sources.

    Returns
    -------
    Datasets
        Rows sorted by spectrum; each incoming spectrum, and each structure whose average is
        due, is either there or among the rejections.

    Raises
    ------
    AccountingError
        If that is not so.
    """
    by_id = {row["structure_id"]: row for row in structures}
    groups = group_materials(structures)
    ordered = by_precedence(spectra, settings.sources)
    names = name_orbits(ordered, by_id)
    kept, duplicates = drop_duplicates(ordered, by_id, names)
    # Averages are built before duplicates go: a source that lacks a site must not spoil another's.
    computed, incomplete = averages(
        element, [row for row in ordered if row["kind"] == "site"], by_id, names, settings
    )
    sites = [row for row in kept if row["kind"] == "site"]
    given = [row for row in kept if row["kind"] == "averaged"]
    own, own_rejected = _windowed(computed, settings)
    known = {row["material"] for row in own}
    superseded = [row for row in given if row["material"] in known]
    rejected = [(row, r) for row, r in duplicates]
    rejected += [
        (row, (Reason.DUPLICATE, "the average of this material's own sites is there"))
        for row in superseded
    ]
    site_rows, site_rejected = _windowed(sites, settings)
    given_rows, given_rejected = _windowed(
        [row for row in given if row["material"] not in known], settings
    )
    averaged_rows = own + given_rows
    rejected += site_rejected + own_rejected + given_rejected
    _check_account(spectra, computed, site_rows, averaged_rows, rejected)
    for row in (*site_rows, *averaged_rows):
        row["group"] = groups.get(row["material"], row["material"])
    return Datasets(
        site=sorted(site_rows, key=lambda row: row["spectrum_id"]),
        averaged=sorted(averaged_rows, key=lambda row: row["spectrum_id"]),
        rejections=sorted(
            [_rejection(row, *reason) for row, reason in rejected] + incomplete,
            key=lambda row: (row["kind"], row["item"]),
        ),
    )


def averages(
    element: str,
    sites: Sequence[Row],
    structures: dict[str, Row],
    names: OrbitNames,
    settings: Settings,
) -> tuple[list[Row], list[Row]]:
    """Average the sites of each crystal that has them all in one source.

    Returns
    -------
    averaged
        Rows of ``schemas.SPECTRA``.
    incomplete
        Rejection rows of structures that lack a site.
    """
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in sites:
        groups[row["structure_id"]].append(row)
    averaged: dict[str, Row] = {}
    incomplete: list[tuple[str, Row]] = []
    for structure_id, rows in groups.items():
        crystal = same_crystal(names, structure_id)
        if crystal in averaged:
            continue  # the same crystal of a source named earlier
        try:
            averaged[crystal] = _average(element, rows, structures[structure_id], settings)
        except RejectedSpectrum as error:
            mean = _mean_row(element, rows, structures[structure_id])
            incomplete.append((crystal, _rejection(mean, error.reason, error.detail)))
    return list(averaged.values()), [row for crystal, row in incomplete if crystal not in averaged]


def _mean_row(element: str, rows: Sequence[Row], structure: Row) -> Row:
    """The average's row, but for its spectrum."""
    source, structure_id = rows[0]["source"], structure["structure_id"]
    return {
        **rows[0],
        "spectrum_id": f"{source}:{structure_id.removeprefix(source + ':')}/{element}/averaged",
        "kind": "averaged",
        "site_index": -1,
        "multiplicity": structure["species"].count(element),
    }


def _average(element: str, rows: Sequence[Row], structure: Row, settings: Settings) -> Row:
    orbits = structure["equivalent_to"]
    one_each = {orbits[row["site_index"]]: row for row in reversed(rows)}
    missing = missing_orbits(orbits, structure["species"], element, list(one_each))
    if missing:
        if structure["formula"] == CLUSTER:
            detail = "one site of a cluster; an average takes the crystal (a POSCAR beside it)"
            raise RejectedSpectrum(Reason.MISSING_SITE, detail)
        sites = ", ".join(map(str, missing[:_NAMED_SITES]))
        more = f" and {len(missing) - _NAMED_SITES} more" if len(missing) > _NAMED_SITES else ""
        raise RejectedSpectrum(Reason.MISSING_SITE, f"no spectrum of site {sites}{more}")
    chosen = [one_each[orbit] for orbit in sorted(one_each)]
    try:
        energy, mu = average_sites(
            [(np.asarray(row["energy"]), np.asarray(row["mu"])) for row in chosen],
            [row["multiplicity"] for row in chosen],
            settings.averaging.energy_step,
        )
    except ValueError as error:
        raise RejectedSpectrum(Reason.WINDOW_NOT_COVERED, str(error)) from None
    return {**_mean_row(element, rows, structure), "energy": energy.tolist(), "mu": mu.tolist()}


def _windowed(
    rows: Sequence[Row], settings: Settings
) -> tuple[list[Row], list[tuple[Row, tuple[Reason, str]]]]:
    done, rejected = [], []
    for row in rows:
        energy, mu = np.asarray(row["energy"]), np.asarray(row["mu"])
        try:
            e0 = find_e0(energy, mu, settings.edge_energy)
            onset = _onset(energy, mu, settings)
            zero = e0 if settings.window.reference == "e0" else onset
            features, scale = cut_window(energy, mu, zero, settings.window)
        except RejectedSpectrum as error:
            rejected.append((row, (error.reason, error.detail)))
            continue
        done.append(
            {**row, "e0": e0, "onset": onset, "scale": scale, "features": features.tolist()}
        )
    return done, rejected


def _onset(energy: Any, mu: Any, settings: Settings) -> float:
    """The onset; NaN where the spectrum starts above it and the window does not need it."""
    try:
        return find_onset(energy, mu, settings.edge_energy)
    except RejectedSpectrum:
        if settings.window.reference == "onset":
            raise
        return float("nan")


def _rejection(row: Row, reason: Reason, detail: str) -> Row:
    rejection = Rejection(row["spectrum_id"], reason, detail, row["absorber"], row["kind"])
    return rejection.row("datasets", row["source"])


def _check_account(
    spectra: Sequence[Row],
    computed: Sequence[Row],
    site: Sequence[Row],
    averaged: Sequence[Row],
    rejected: Sequence[tuple[Row, Any]],
) -> None:
    incoming = Counter(row["spectrum_id"] for row in (*spectra, *computed))
    outgoing = Counter(row["spectrum_id"] for row in (*site, *averaged))
    outgoing.update(row["spectrum_id"] for row, _ in rejected)
    if incoming != outgoing:
        off = sorted((incoming - outgoing) + (outgoing - incoming))
        raise AccountingError(f"data sets do not add up for {len(off)} spectra, first {off[0]}")
