"""How often answers are right: every measured sample of a manifest, asked and counted.

A sample is right where its first coordination number (or environment) is that of its published
structure; it is asked without the measured references of its own compound. Beside the share of
right answers stands the constant guess, and recall by coordination number: with three of four
samples octahedral, "always six" is right in three of four. Samples that are no oxygen compounds
(``expected`` is ``none``) ought to get no answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from xascoord.core.coordination import CN_TASK
from xascoord.core.errors import SourceError, XascoordError
from xascoord.core.rankings import Ranking, cns_in, described_cn, jaccard, members
from xascoord.measured.spectrum import Options
from xascoord.models.reliability import CONFIDENT
from xascoord.prediction.benchmark_reliability import calibration_error, stated_and_right
from xascoord.prediction.predictor import Predictor
from xascoord.settings.tree import Settings
from xascoord.structures.compounds import read_compounds
from xascoord.validation.manifest import Sample, expectation, prepare_sample, read_manifest

Row = dict[str, Any]
NONE = "none"
COLUMNS = (
    "origin", "element", "sample", "compound", "true_environment", "answered", "environment",
    "probability", "cn", "cn_probability", "cn_right", "environment_right", "jaccard", "certain",
    "in_certain", "e0", "shift", "distance", "usual_distance", "why",
)  # fmt: skip
ORIGINS = (
    "origin", "element", "classifier", "sites", "materials", "classes", "engines", "window",
    "samples", "answered", "cn_right", "environment_right", "confident_errors", "recall",
)  # fmt: skip


def ask(
    predictor: Predictor, label: str, samples: Sequence[Sample], folder: Path, settings: Settings
) -> Iterator[Row]:
    """One row for each sample of an element that there are models of.

    Parameters
    ----------
    predictor
        The models.
    label
        What they are called in the table; "" takes the origin that answers.
    samples
        Of manifests; those of other elements are passed over.
    folder
        Of the measured files.
    settings
        Published structures, thresholds of labels, how files are read.
    """
    compounds = read_compounds(Path(settings.validation.compounds))
    thresholds = settings.labels.cn_threshold, settings.labels.motif_threshold
    for sample in samples:
        if sample.element not in predictor.elements:
            continue
        row: Row = dict.fromkeys(COLUMNS, "")
        row |= {
            "origin": label or predictor.entry(sample.element).origin, "element": sample.element,
            "sample": sample.name, "compound": sample.compound,
        }  # fmt: skip
        try:
            ranking, environment = None, NONE
            if sample.expected != NONE:
                ranking, environment = expectation(sample, compounds, thresholds)
            row["true_environment"] = environment
            yield row | _answered(predictor, sample, folder, settings, ranking, environment)
        except SourceError as error:
            yield row | {"answered": False, "why": str(error)}


def _answered(
    predictor: Predictor, sample: Sample, folder: Path, settings: Settings,
    ranking: Ranking | None, environment: str,
) -> Row:  # fmt: skip
    options = Options.from_settings(settings.prediction, settings.limits, sample.element)
    asked = predictor.without_compound(sample.compound)
    (answer,) = asked.predict([prepare_sample(sample, folder, options)])
    if answer.seen is None:
        return {"answered": False, "why": answer.abstains}
    first = answer.alternatives[0] if answer.alternatives else None
    found: Row = {
        "answered": answer.best is not None, "why": answer.abstains,
        "e0": round(answer.seen.zero, 2), "shift": answer.shift,
        "distance": round(answer.distance, 4),
        "usual_distance": answer.quantiles.get("0.95", ""),
        "certain": " ".join(map(str, answer.certain or ())),
    }  # fmt: skip
    if first is None:
        return found
    found |= {
        "environment": first.environment, "probability": round(first.probability, 4),
        "cn": first.number, "cn_probability": round(first.cn_probability, 4),
    }  # fmt: skip
    if environment != NONE:
        true = described_cn(environment)
        found |= {
            "cn_right": first.number == true, "environment_right": first.environment == environment,
            "in_certain": true in (answer.certain or ()),
            "jaccard": ""
            if ranking is None
            else round(jaccard(members(ranking), members(first.ranking)), 4),
        }  # fmt: skip
    return found


def all_samples(manifests: Iterable[Path]) -> list[Sample]:
    """Samples of several manifests, in their order."""
    return [sample for path in manifests for sample in read_manifest(path)]


def summary(rows: Sequence[Row]) -> list[Row]:
    """Figures of each origin: right answers of oxygen compounds, refusals of others."""
    found = []
    for origin, mine in by_origin(rows).items():
        known = known_rows(mine)
        others = [row for row in mine if row["true_environment"] == NONE]
        truth = Counter(row["true_environment"] for row in known)
        numbers = Counter(_number(row) for row in known)
        recall = _recall(known)
        stated, _ = stated_and_right(known)
        likeness = [row["jaccard"] for row in known if row["jaccard"] != ""]
        found.append({
            "origin": origin, **_counts(known),
            "cn_right_of_answered": sum(row["cn_right"] for row in known if row["answered"]),
            "constant_cn": max(numbers.values(), default=0),
            "constant_environment": max(truth.values(), default=0),
            "recall": _written(recall),
            "mean_recall": round(
                sum(right / n for right, n in recall.values()) / max(len(recall), 1), 3),
            "jaccard": sum(likeness) / len(likeness) if likeness else float("nan"),
            "with_ranking": len(likeness),
            "stated": float(stated.mean()) if len(stated) else float("nan"),
            "ece": calibration_error(known),
            "in_certain": sum(row["in_certain"] for row in known)
            if any(row["certain"] for row in known) else "",
            "others": len(others), "others_refused": sum(not row["answered"] for row in others),
        })  # fmt: skip
    return found


def by_origin(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Rows of each origin of models, in their order."""
    names = dict.fromkeys(row["origin"] for row in rows)
    return {name: [row for row in rows if row["origin"] == name] for name in names}


def _recall(known: Sequence[Row]) -> dict[int, tuple[int, int]]:
    """Right answers and samples of each true first coordination number."""
    numbers = sorted({_number(row) for row in known})
    of = {n: [row["cn_right"] for row in known if _number(row) == n] for n in numbers}
    return {n: (sum(flags), len(flags)) for n, flags in of.items()}


def _written(recall: Mapping[int, tuple[int, int]]) -> str:
    return " ".join(f"{n}:{right}/{samples}" for n, (right, samples) in recall.items())


def known_rows(rows: Sequence[Row]) -> list[Row]:
    """Rows of oxygen compounds that the models said something of."""
    return [r for r in rows if r["true_environment"] not in (NONE, "") and r["cn"] != ""]


def _counts(known: Sequence[Row]) -> Row:
    return {
        "samples": len(known),
        "answered": sum(row["answered"] for row in known),
        "cn_right": sum(row["cn_right"] for row in known),
        "environment_right": sum(row["environment_right"] for row in known),
        "confident_errors": sum(_confident_error(row) for row in known),
    }


def _number(row: Row) -> int:
    return described_cn(row["true_environment"])


def _confident_error(row: Row) -> bool:
    return bool(row["answered"] and not row["cn_right"] and row["cn_probability"] > CONFIDENT)


def origin_rows(predictor: Predictor, rows: Sequence[Row]) -> list[Row]:
    """Rows of the table by which the models of an element are chosen (``prediction.store``)."""
    from xascoord.models.bundles import read_record

    found = []
    for element in predictor.elements:
        entry = predictor.entry(element)
        record = read_record(entry.folder / f"{predictor.settings.classifier}.skops")
        data, window = record.get("data", {}), record["input_spec"]["window"]
        classes = record["tasks"][CN_TASK]["classes"]
        mine = known_rows([row for row in rows if row["element"] == element])
        found.append({
            "origin": entry.origin, "element": element,
            "classifier": predictor.settings.classifier, "sites": data.get("site", ""),
            "materials": data.get("materials", ""),
            "classes": " ".join(map(str, sorted({cns_in(label)[0] for label in classes}))),
            "engines": "; ".join(data.get("engines", [])),
            "window": f"{window['lower']:g} to {window['upper']:g} eV", **_counts(mine),
            "recall": _written(_recall(mine)),
        })  # fmt: skip
    return found


def interval(right: int, samples: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share.

    Parameters
    ----------
    right, samples
        Successes and trials.
    """
    if not samples:
        return 0.0, 1.0
    from scipy.stats import binomtest

    found = binomtest(right, samples).proportion_ci(method="wilson")
    return float(found.low), float(found.high)


def describe_figures(figures: Mapping[str, Any]) -> str:
    """One origin's figures for people."""
    n = figures["samples"]

    def of(name: str) -> str:
        low, high = interval(figures[name], n)
        share = figures[name] / n if n else float("nan")
        return f"{figures[name]} of {n} ({share:.0%}; 95 %: {low:.0%} to {high:.0%})"

    return "\n".join([
        f"{figures['origin']}: {n} samples of oxygen compounds, {figures['answered']} answered",
        f"  first coordination number right: {of('cn_right')}; constant guess "
        f"{figures['constant_cn']}",
        f"  of the answered: {figures['cn_right_of_answered']} of {figures['answered']}",
        f"  first environment right: {of('environment_right')}; constant guess "
        f"{figures['constant_environment']}",
        f"  recall by coordination number: {figures['recall']}; mean {figures['mean_recall']:.0%}",
        f"  Jaccard index of the rankings: {figures['jaccard']:.2f} ({figures['with_ranking']} "
        "samples of published structure)",
        f"  stated probability of the answered: {figures['stated']:.0%} on average; expected "
        f"calibration error {figures['ece']:.2f}",
        "  true number in the certain set: "
        + ("these models give none" if figures["in_certain"] == "" else of("in_certain")),
        f"  wrong at more than {CONFIDENT:.0%}: {figures['confident_errors']}",
        f"  other compounds refused: {figures['others_refused']} of {figures['others']}",
    ])  # fmt: skip


def describe_elements(rows: Sequence[Row]) -> str:
    """Right first coordination numbers of each element by each origin, as a table for people."""
    known = known_rows(rows)
    origins = list(dict.fromkeys(row["origin"] for row in known))
    lines = [["", *origins]]
    for element in sorted({row["element"] for row in known}):
        cells = []
        for origin in origins:
            right = [
                r["cn_right"] for r in known if (r["origin"], r["element"]) == (origin, element)
            ]
            cells.append(f"{sum(right)} of {len(right)}" if right else "-")
        lines.append([element, *cells])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    table = ("  ".join(c.rjust(w) for c, w in zip(line, widths, strict=True)) for line in lines)
    return "\n".join(["first coordination number right, by element:", *(f"  {t}" for t in table)])


def check_any(rows: Sequence[Row], folder: Path) -> None:
    """Refuse a benchmark of nothing.

    Raises
    ------
    XascoordError
        If no sample could be read.
    """
    if not any(row["cn"] != "" for row in rows):
        why = rows[0]["why"] if rows else "no sample of an element that there are models of"
        raise XascoordError(f"{folder}: no sample could be asked ({why})")
