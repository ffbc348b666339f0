"""The crystals that this project computes spectra of: all elements, in one table each.

Reads the AMCSD, ``data/compounds.csv`` and, where they are at hand, CIF files of the Materials
Project, qualifies every crystal for every element in it and
writes a plan of FEFF runs (``sources.feff.plan``): what was chosen, and what does not qualify and
why. What qualifies and was not needed (enough of its coordination number, or a duplicate) is in
neither.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from xascoord.core.elements import GROUP_OF, TYPICAL_VALENCE
from xascoord.core.errors import StructureError
from xascoord.core.rejections import Reason, Rejection
from xascoord.settings.feff import Crystals
from xascoord.settings.tree import Settings
from xascoord.sources.collect import Spectrum
from xascoord.sources.crystals.amcsd import Crystal, primitive_cell, read_amcsd
from xascoord.sources.crystals.balance import Uniques, choose, in_turn, order_of_preference
from xascoord.sources.crystals.materials_project import ORIGIN as MATERIALS_PROJECT
from xascoord.sources.crystals.materials_project import check_oxidation_states, read_cifs
from xascoord.sources.crystals.qualify import Candidate, examine
from xascoord.sources.crystals.substitution import fillers
from xascoord.sources.demo.prototypes import demo_structures, read_prototypes
from xascoord.sources.feff.chunks import results
from xascoord.sources.feff.plan import read_plan, write_plan
from xascoord.structures.bond_valence import scaled_to_valence
from xascoord.structures.compounds import read_compounds
from xascoord.structures.symmetry import structure_row

NAME = "crystals"
_TRIED = 4  # fillers examined for each site that is wanted


@dataclass
class Survey:
    """Every crystal that qualifies, by element, and why others do not.

    ``candidates`` may come to hold elements that nobody asked for, in whose crystals those asked
    for may stand; ``rejections`` and ``examined`` are of the elements asked for.
    """

    candidates: dict[str, list[Candidate]] = field(default_factory=dict)
    rejections: list[Rejection] = field(default_factory=list)
    examined: int = 0


def survey(settings: Settings, result: Survey) -> Iterator[tuple[int, int]]:
    """Read and examine all crystals of the wanted elements into ``result``.

    Yields
    ------
    done, total
        Entries of the database.

    Raises
    ------
    SourceError
        If a database is not there.
    """
    elements = settings.elements
    result.candidates.update({element: [] for element in elements})
    compounds = read_compounds(Path(settings.validation.compounds))
    for name, structure in compounds.items():
        cell = primitive_cell(structure)
        _examine_all(Crystal(name, cell, "published", mineral=name), result, settings)
    most = settings.crystals.most_atoms
    databases = [read_amcsd(elements, most)]
    if settings.crystals.materials_project is not None:
        folder = Path(settings.crystals.materials_project)
        databases.append(read_cifs(folder, elements, most, settings.limits))
    for item, (done, total) in chain.from_iterable(databases):
        if isinstance(item, Rejection):
            result.examined += 1
            result.rejections.append(item)
        else:
            _examine_all(item, result, settings)
        yield done, total


def _candidates_of(donor: str, found: Survey, settings: Settings) -> list[Candidate]:
    """Crystals of an element; one that was not asked for is surveyed when it is needed.

    So a choice neither waits for elements that it does without, nor depends on which are asked for.
    """
    if donor not in found.candidates:
        alone = Survey()
        for _ in survey(settings.model_copy(update={"elements": (donor,)}), alone):
            pass
        found.candidates.update(alone.candidates)
    return found.candidates[donor]


def _examine_all(crystal: Crystal, result: Survey, settings: Settings) -> None:
    """Examine a crystal for each element that it holds: each counts as one."""
    for element in result.candidates:
        if element not in crystal.structure.symbol_set:
            continue
        result.examined += 1
        try:
            result.candidates[element].append(_examine(crystal, element, settings))
        except StructureError as error:
            name = f"{crystal.identifier}/{element}"
            result.rejections.append(Rejection(name, Reason.BAD_STRUCTURE, str(error), element))


def _examine(crystal: Crystal, element: str, settings: Settings) -> Candidate:
    precision = settings.quality.symmetry_precision
    found = examine(crystal, element, precision, settings.crystals.most_inequivalent)
    if crystal.origin == MATERIALS_PROJECT:
        check_oxidation_states(found)
    return found


def choose_for(element: str, found: Survey, settings: Settings) -> list[Candidate]:
    """The crystals of one element, real ones first, in an order that goes round its numbers."""
    crystals, seed = settings.crystals, settings.seed
    uniques = Uniques(crystals.most_of_formula)
    real = sorted(found.candidates[element], key=lambda c: order_of_preference(c, seed))
    taken = choose(real, crystals.sites, crystals.largest_fraction, uniques)
    counts = Counter(n for candidate in taken for n in candidate.numbers)
    extra = list(_qualified_fillers(element, found, counts, settings))
    taken += choose(extra, crystals.sites, crystals.largest_fraction, uniques, counts)
    return in_turn(sorted(taken, key=lambda c: order_of_preference(c, seed)))


def _qualified_fillers(
    element: str, found: Survey, counts: Counter[int], settings: Settings
) -> Iterator[Candidate]:
    """Crystals of like cations, then prototypes, of the numbers that want more sites."""
    crystals = settings.crystals
    cap = crystals.largest_fraction * crystals.sites
    wanted = {
        number: _TRIED * (cap - counts[number])
        for number in settings.demo.coordination_numbers.get(GROUP_OF[element], ())
        if counts[number] < cap
    }
    if counts.total() >= crystals.sites:
        return

    def of_donor(donor: str) -> list[Candidate]:
        candidates = _candidates_of(donor, found, settings)
        return [c for c in candidates if set(c.numbers) & first_wanted]

    first_wanted = frozenset(wanted)
    substitutes = fillers(element, of_donor, settings.seed) if crystals.substitute else ()
    for crystal in chain(substitutes, _prototypes(element, settings)):
        if not any(left > 0 for left in wanted.values()):
            return
        try:
            candidate = _examine(crystal, element, settings)
        except StructureError:
            continue  # a guess that came to nothing is no entry of any source
        if set(candidate.numbers) <= {n for n, left in wanted.items() if left > 0}:
            for number in candidate.numbers:
                wanted[number] -= 1
            yield candidate


def _prototypes(element: str, settings: Settings) -> Iterator[Crystal]:
    prototypes = read_prototypes(Path(settings.demo.folder) / "prototypes.csv")
    found, _ = demo_structures(element, prototypes, settings.demo, settings.seed)
    for suffix in ("", "-strained"):
        for identifier, (material, structure) in found.items():
            if identifier.removeprefix(material) == suffix:
                try:
                    cell = scaled_to_valence(structure, element, TYPICAL_VALENCE[element])
                except StructureError:
                    continue
                yield Crystal(material, cell, "prototype", copy=suffix, mineral=material)


def site_rows(element: str, chosen: Sequence[Candidate], preset: str) -> list[dict[str, Any]]:
    """One row of ``sites.csv`` for each inequivalent site, in the order of computing."""
    rows: list[dict[str, Any]] = []
    for candidate in chosen:
        crystal = candidate.crystal
        for site in candidate.sites:
            rows.append({
                "element": element, "order": len(rows), "structure_id": identity(crystal),
                "material": crystal.material, "site_index": site.index,
                "multiplicity": site.multiplicity, "coordination": site.coordination,
                "valence": site.valence, "bond_valence": site.bond_valence, "outlier": site.outlier,
                "preset": preset, "origin": crystal.origin, "ambient": crystal.ambient,
                "mineral": crystal.mineral,
                "formula": crystal.structure.composition.reduced_formula,
                "reference": crystal.reference, "code": crystal.code, "title": crystal.title,
            })  # fmt: skip
    return rows


def identity(crystal: Crystal) -> str:
    """Name of a crystal in the tables."""
    return f"{NAME}:{crystal.identifier}"


def write_choice(found: Survey, settings: Settings, folder: Path) -> Iterator[tuple[int, int]]:
    """Choose for every element and write the tables.

    Yields
    ------
    done, total
        Elements.
    """
    sites: list[dict[str, Any]] = []
    structures: dict[str, dict[str, Any]] = {}
    for done, element in enumerate(settings.elements, start=1):
        chosen = choose_for(element, found, settings)
        sites += site_rows(element, chosen, settings.crystals.preset)
        for candidate in chosen:
            crystal = candidate.crystal
            name = identity(crystal)
            structures[name] = structure_row(
                crystal.structure, name, crystal.material, NAME, settings.quality.symmetry_precision
            )
        yield done, len(settings.elements)
    rejections = [r.row("crystals", NAME) for r in found.rejections]
    write_plan(folder, sites, structures.values(), rejections)


def packed_folder(crystals: Crystals) -> Path | None:
    """Where finished runs that came with the project lie."""
    return None if crystals.packed is None else Path(crystals.packed)


def read_computed(
    settings: Settings, plan: Path, journals: Path
) -> Iterator[tuple[Spectrum | Rejection, dict[str, Any] | None]]:
    """The spectra of the chosen crystals that FEFF has computed; the other sites as rejections."""
    # Plan and journals are read once, not once an element.
    order = {element: place for place, element in enumerate(settings.elements)}
    runs = [run for run in read_plan(plan) if run.element in order]
    runs.sort(key=lambda run: order[run.element])
    packed = packed_folder(settings.crystals)
    yield from results(runs, journals, settings.feff.run, settings.quality, packed)


def coordination_counts(found: Survey) -> list[dict[str, Any]]:
    """How common each coordination number of an element is among the crystals of a survey.

    Each mineral of one composition counts once for each number, however often it was refined.
    """
    rows = []
    for element, candidates in found.candidates.items():
        kinds = {
            (c.crystal.structure.composition.reduced_formula, c.crystal.mineral, number)
            for c in candidates
            for number in c.numbers
        }
        for number, sites in sorted(Counter(number for *_, number in kinds).items()):
            rows.append({"element": element, "coordination": number, "sites": sites})
    return rows
