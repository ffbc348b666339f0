"""``xascoord simulate``: a crystal in; spectra, sites and a picture out."""

from __future__ import annotations

import csv
import io
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from xascoord.core.coordination import COORDINATION_NUMBERS, MOTIFS
from xascoord.core.errors import XascoordError
from xascoord.core.figures import new_figure, save_figure
from xascoord.core.files import write_csv, write_text
from xascoord.core.rejections import RejectedSpectrum
from xascoord.measured.prepare import read_and_normalise
from xascoord.measured.spectrum import NormalisedSpectrum, Options, Refusal, window_zero
from xascoord.settings.spectra import Window
from xascoord.settings.tree import Settings
from xascoord.simulation.simulate import (
    Comparison,
    SimulatedSite,
    averaged,
    choose_element,
    compare,
    describe_sites,
    read_crystal,
    simulate_sites,
    xdi_text,
)

Format = Literal["xdi", "csv"]


def run(
    path: Path, settings: Settings, element: str | None, site: int | None, preset: str | None,
    listed: bool, measured: Path | None, out: Path | None, kind: Format, workers: int,
) -> None:  # fmt: skip
    """Compute what was asked for, write it, and print a summary.

    Parameters
    ----------
    path
        CIF or POSCAR.
    settings
        All.
    element, site, preset
        Absorber, one of its sites, cards; None: the only absorber, all sites, the preset in force.
    listed
        Only list the sites.
    measured
        A measured spectrum to compare with.
    out
        Folder for the files; None: one beside where it is called, named after the crystal.
    kind
        Of the spectra's files.
    workers
        Runs at a time.
    """
    crystal = read_crystal(path)
    absorber = choose_element(crystal, element)
    name = preset or settings.feff.run.preset
    if name not in settings.feff.run.presets:
        raise XascoordError(
            f"--preset {name}: there are {', '.join(settings.feff.run.presets)} (params.yaml)"
        )
    prepared = _measured(measured, absorber, settings) if measured is not None else None
    sites = describe_sites(
        crystal, absorber, settings.quality.symmetry_precision, settings.labels, site
    )
    if listed:
        print(_site_lines(crystal, absorber, sites))
        return
    sites = simulate_sites(
        crystal, absorber, sites, settings, name, workers,
        lambda done, total: print(f"FEFF: {done} of {total} sites", file=sys.stderr, flush=True),
    )  # fmt: skip
    folder = out or Path(f"{path.stem}_{absorber}")
    title = f"{crystal.composition.reduced_formula}, {absorber} K edge, preset {name}"
    print(_site_lines(crystal, absorber, sites))
    if all(found.energy is None for found in sites):
        raise XascoordError(f"{path}: no site could be computed: {sites[0].problem}")
    spectra = _spectra(sites, settings, whole=site is None)
    comparison = None
    if prepared is not None:
        energy, mu, e0 = next(reversed(spectra.values()))
        comparison = compare(energy, mu, e0, prepared)
        print(_comparison_line(prepared.name, comparison))
    for part, (energy, mu, e0) in spectra.items():
        facts = {"preset": name, "e0": f"{e0:.2f} eV", "program": settings.feff.run.engine}
        text = (
            xdi_text(absorber, energy, mu, f"{title}, {part}", facts)
            if kind == "xdi"
            else _columns(energy, mu)
        )
        write_text(folder / f"{path.stem}_{absorber}_{part}.{kind}", text)
    write_csv(folder / "sites.csv", *_site_table(sites))
    _plot(spectra, sites, title, prepared, comparison, folder / f"{path.stem}_{absorber}.png")
    print(f"written to {folder}/")


def _measured(path: Path, element: str, settings: Settings) -> NormalisedSpectrum:
    """The first spectrum of a file, with the e0 that computed spectra have."""
    options = Options.from_settings(settings.prediction, settings.limits, element)
    several = read_and_normalise(path, options)
    found = several[0]
    if isinstance(found, Refusal):
        raise XascoordError(f"{path}: {found.reason}")
    if len(several) > 1:
        print(f"warning: {path} holds {len(several)} spectra; {found.name} is taken",
              file=sys.stderr)  # fmt: skip
    for warning in found.warnings:
        print(f"warning: {found.name}: {warning}", file=sys.stderr)
    try:
        return replace(found, e0=window_zero(found, Window(), settings.edge_energy))
    except RejectedSpectrum as error:
        raise XascoordError(f"{path}: {error.detail}") from None


def _spectra(
    sites: list[SimulatedSite], settings: Settings, whole: bool
) -> dict[str, tuple[Any, Any, float]]:
    """Energy, mu and e0 of each site that has them; last the average, if it can be had."""
    found = {
        f"site{site.index}": (site.energy, site.mu, site.e0)
        for site in sites
        if site.energy is not None
    }
    if whole and len(sites) > 1:
        try:
            found["averaged"] = averaged(
                sites, settings.edge_energy, settings.averaging.energy_step
            )
        except XascoordError as error:
            print(f"warning: {error}", file=sys.stderr)
    return found


def _site_lines(crystal: Any, element: str, sites: list[SimulatedSite]) -> str:
    lines = [f"{crystal.composition.reduced_formula}: {len(crystal)} atoms, {element} sites:"]
    for site in sites:
        x, y, z = crystal[site.index].frac_coords
        state = site.problem or (f"e0 {site.e0:.2f} eV" if site.energy is not None else "")
        if site.scf is not None:
            state += f", SCF {len(site.scf.fermi_levels)} iterations"
        lines.append(
            f"  site {site.index} ({site.multiplicity} x, at {x:.4f} {y:.4f} {z:.4f}): "
            f"{site.environment}" + (f"; {state}" if state else "")
        )
    return "\n".join(lines)


def _comparison_line(name: str, found: Comparison) -> str:
    return (
        f"compared with {name}: computed energies moved by {found.offset:+.2f} eV to one e0, "
        f"and by {found.shift:+.1f} eV more for the best fit; correlation {found.at_e0:.3f} at e0, "
        f"{found.best:.3f} there"
    )


def _columns(energy: Any, mu: Any) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("energy", "mu"))
    writer.writerows((f"{e:.4f}", f"{m:.7e}") for e, m in zip(energy, mu, strict=True))
    return text.getvalue()


def _site_table(sites: list[SimulatedSite]) -> tuple[list[dict[str, Any]], list[str]]:
    names = [f"CN_{n}" for n in COORDINATION_NUMBERS] + [f"CN_{n} {m}" for n, m in MOTIFS]
    rows = []
    for site in sites:
        values = np.round([*site.numbers, *site.motifs], 6)
        rows.append({
            "site": site.index, "multiplicity": site.multiplicity,
            "environment": site.environment, "e0": "" if np.isnan(site.e0) else round(site.e0, 3),
            "problem": site.problem,
            "scf_iterations": len(site.scf.fermi_levels) if site.scf else "",
            "fermi_drift": round(site.scf.fermi_drift, 4) if site.scf else "",
            **dict(zip(names, values.tolist(), strict=True)),
        })  # fmt: skip
    return rows, list(rows[0])


def _plot(
    spectra: dict[str, tuple[Any, Any, float]], sites: list[SimulatedSite], title: str,
    measured: NormalisedSpectrum | None, comparison: Comparison | None, path: Path,
) -> None:  # fmt: skip
    """The spectra about their e0 and, beside them, the comparison."""
    figure = new_figure(11 if measured is not None else 7, 4.6)
    panels = figure.subplots(1, 2 if measured is not None else 1, squeeze=False)[0]
    labels = {f"site{site.index}": f"site {site.index}: {site.environment}" for site in sites}
    for part, (energy, mu, e0) in spectra.items():
        mean = part == "averaged"
        panels[0].plot(energy - e0, _unit_step(energy, mu, e0), linewidth=1.6 if mean else 0.9,
                       color="k" if mean else None,
                       label="average of all sites" if mean else labels[part][:70])  # fmt: skip
    panels[0].set_title(title, fontsize=9)
    if measured is not None and comparison is not None:
        energy, mu, e0 = next(reversed(spectra.values()))
        relative = measured.energy - measured.e0
        shown = (relative > -25) & (relative < 65)
        norm = _unit_step(measured.energy, measured.norm, measured.e0)
        panels[1].plot(relative[shown], norm[shown], color="k", label=f"measured: {measured.name}")
        panels[1].plot(energy - e0 + comparison.shift, _unit_step(energy, mu, e0), color="tab:red",
                       label=f"computed, {comparison.offset + comparison.shift:+.1f} eV "
                       f"({comparison.shift:+.1f} eV beyond e0)")  # fmt: skip
        panels[1].set_title(f"correlation {comparison.best:.3f} ({comparison.at_e0:.3f} at e0)",
                            fontsize=9)  # fmt: skip
    for axes in panels:
        axes.set_xlim(-25, 65)
        axes.set_xlabel("energy about e0 / eV")
        axes.set_ylabel("mu / edge step")
        axes.legend(frameon=False, fontsize=7, loc="lower right")
    save_figure(figure, path)


def _unit_step(energy: Any, mu: Any, e0: float) -> Any:
    above = (energy > e0 + 15) & (energy < e0 + 45)
    return mu / mu[above].mean()
