"""The references of the package, each asked without its compound."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from xascoord.core.files import write_csv
from xascoord.jobs.progress import show_progress
from xascoord.measured.spectrum import NormalisedSpectrum
from xascoord.prediction.answer import Answer
from xascoord.prediction.evidence import COLUMNS, TABLE
from xascoord.prediction.predictor import Predictor
from xascoord.references.classifier import Profile, profiles_of
from xascoord.references.kinds import OXYGEN
from xascoord.references.library import Reference, embedded_references
from xascoord.references.models import ReferenceModels

Row = dict[str, str | int | float | bool]
_DECIMALS = 4


def ask_references(predictor: Predictor, out: Path) -> list[Row]:
    """Ask every reference without its compound, and write what came out.

    Parameters
    ----------
    predictor
        Models of computed spectra; these may have learnt computed spectra of the same compound.
    out
        CSV file of ``evidence.COLUMNS``.
    """
    if not TABLE.exists():  # answers look into it, and there is nothing to see yet
        write_csv(TABLE, [], COLUMNS)
    library = profiles_of(embedded_references())
    compounds = sorted({one.compound for one, _ in library})
    rows: list[Row] = []

    def steps() -> Iterator[tuple[int, int]]:
        yield 0, len(compounds)
        for number, compound in enumerate(compounds, start=1):
            rows.extend(_without(compound, library, predictor))
            yield number, len(compounds)

    show_progress(steps(), "compounds")
    rows.sort(key=lambda row: str(row["name"]))
    write_csv(out, rows, COLUMNS)
    return rows


def _without(
    compound: str, library: Sequence[tuple[Reference, Profile]], predictor: Predictor
) -> list[Row]:
    """Rows of the references of a compound, by what all others teach."""
    mine = [one for one, _ in library if one.compound == compound]
    rest = [pair for pair in library if pair[0].compound != compound]
    asked = predictor.with_references(ReferenceModels.fit_profiles(rest))
    answers = asked.predict(
        NormalisedSpectrum(one.name, one.element, one.energy, one.norm, one.e0, one.e0)
        for one in mine
    )
    return [_row(one, answer) for one, answer in zip(mine, answers, strict=True)]


def _row(one: Reference, answer: Answer) -> Row:
    best = answer.alternatives[0] if answer.alternatives else None
    kinds = answer.kinds
    return {
        "name": one.name, "element": one.element, "compound": one.compound,
        "coordination": one.coordination or "", "kind": one.kind,
        "oxygen_compound": round(kinds[OXYGEN], _DECIMALS) if kinds else "",
        "answered": answer.best is not None, "predicted": best.number if best else "",
        "probability": round(best.cn_probability, _DECIMALS) if best else "",
        # What is refused as another kind still has its shares: they are judged apart.
        "shares": " ".join(
            f"{n}:{p:.{_DECIMALS}f}" for n, p in sorted(answer.coordination.items())
        ),
        "why": answer.abstains,
    }  # fmt: skip
