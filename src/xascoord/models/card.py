"""Model cards: what a bundle of models is and is not good for, from its record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from xascoord.core.elements import ELEMENTS, POOLS
from xascoord.core.engines import PATHS, PATHS_DOUBT


def model_card(record: Mapping[str, Any], known: str = "") -> str:
    """A model card in Markdown.

    Parameters
    ----------
    record
        Of the bundle.
    known
        How often its models were right on measured spectra, in a sentence: a record is older than
        that is known.

    Returns
    -------
    str
    """
    measured = ["## Measured spectra", "", known, ""] if known else []
    if "published" in record:
        return _published_card(record, measured)
    window = record["input_spec"]["window"]
    data = record["data"]
    absorber = record.get("element") or f"any of {', '.join(POOLS[record['pool']])}"
    lines = [
        f"# {record.get('element') or record['pool']}: coordination environment by "
        f"{record['classifier']}",
        "",
        f"Predicts from a K-edge XANES of {absorber} in an oxide the ranking of "
        "coordination numbers, then of the motifs of each.",
        "",
        "## Input",
        "",
        f"mu from {window['lower']:+g} to {window['upper']:+g} eV about "
        f"{window['reference']}, {window['points']} points, divided by the maximum; "
        + (
            f"of a spectrum that begins later, up to {window['tail']:g} eV are continued by the "
            "tail of its edge. "
            if window.get("tail")
            else "nothing is continued beyond a spectrum's ends. "
        )
        + "Energy reference (the same for computed and measured spectra): "
        + ", ".join(f"{k} {v}" for k, v in record["input_spec"]["edge_energy"].items())
        + ".",
        "",
        "## Training data",
        "",
        f"{data['site']} site-specific and {data['averaged']} site-averaged spectra of "
        f"{data['materials']} materials, {data['copies']} distorted copies; sources: "
        f"{', '.join(data['sources'])}; hash `{data['hash']}`. Label thresholds: "
        f"{record['thresholds'][0]} (CN), {record['thresholds'][1]} (motifs); labels of fewer than "
        f"{record['min_samples']} spectra are not learnt.",
        "",
        _engines(data.get("engines", ())),
        "",
        *_learnt(record.get("learnt", {})),
        "| task | labels | spectra | temperature | hyper-parameters |",
        "|---|---|---|---|---|",
        *(
            f"| {task} | {len(part['classes'])} | {part['spectra']} | {part['temperature']} | "
            f"{', '.join(f'{k} {v}' for k, v in part['parameters'].items())} |"
            for task, part in record["tasks"].items()
        ),
        "",
        "## Cross-validation",
        "",
        f"{record['folds']} folds, seed {record['seed']}; temperatures from {record['split']} "
        "folds"
        + (
            ", on which the hyper-parameters were chosen too: these figures are slightly too good"
            if record["searched"]
            else ""
        )
        + ". Scope kept: without labels too rare to "
        "learn; all: with them. Intervals: 95 %, bootstrap over materials.",
        "",
        *_metric_table(record["metrics"]),
        "",
        *measured,
        "## Limits",
        "",
        "Learnt from computed spectra of ordered crystals; other absorbers, edges, amorphous "
        "materials or windows are out of its reach. Probabilities are calibrated on held-out "
        "computed spectra.",
        "",
        "Versions: "
        + ", ".join(f"{k} {v}" for k, v in record["versions"].items())
        + ". "
        + _origin(record.get("origin") or {}),
    ]
    return "\n".join(lines) + "\n"


def _engines(engines: Sequence[str]) -> str:
    """What the spectra were computed by, and what that is worth."""
    doubt = f" Such models {PATHS_DOUBT}." if PATHS in engines else ""
    return f"Computed by: {'; '.join(engines) or 'not told'}.{doubt}"


def _learnt(elements: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Elements that were learnt together; nothing for models of one."""
    if not elements:
        return []
    return [
        "Learnt together, in one window about e0; the split left_out below predicts each element "
        "by models that saw no spectrum of it.",
        "",
        "| element | site-specific | site-averaged |",
        "|---|---|---|",
        *(
            f"| {name} | {elements[name]['site']} | {elements[name]['averaged']} |"
            for name in sorted(elements, key=ELEMENTS.index)
        ),
        "",
    ]


_SCALES = {"maximum": "divided by the maximum", "range": "brought to minimum 0 and maximum 1"}


def _published_card(record: Mapping[str, Any], measured: Sequence[str]) -> str:
    """The card of models that somebody else published and that were taken over as they are."""
    window, published = record["input_spec"]["window"], record["published"]
    lines = [
        f"# {record['element']}: coordination environment by the published forests",
        "",
        f"The random forests of {published['citation']}, of which the trees are taken over and "
        "nothing is learnt anew. They predict from a K-edge XANES the ranking of coordination "
        "numbers, then of the motifs of each.",
        "",
        f"Source: {published['url']} ({published['path']}, commit {published['commit']}). "
        f"Licence: {published['licence']}. {published['copyright']}.",
        "",
        "## Input",
        "",
        f"mu from {window['lower']:+g} to {window['upper']:+g} eV about the energy zero "
        f"({window['reference']}), {window['points']} points, {_SCALES[window['normalise']]}.",
        "",
        "The files do not say on which windows the forests learnt. A forest that hardly ever "
        "splits on the first point learnt windows that began at 0.",
        "",
        "| task | labels | spectra | trees | splits on the first points | file |",
        "|---|---|---|---|---|---|",
        *(
            f"| {task} | {len(part['classes'])} | {part['spectra']} | "
            f"{part['parameters']['trees']} | "
            f"{' '.join(map(str, published['tasks'][task]['splits_on_first_points']))} | "
            f"{published['tasks'][task]['file']} |"
            for task, part in record["tasks"].items()
            if task in published["tasks"]
        ),
        "",
        *measured,
        "## Limits",
        "",
        "No computed spectra come with these forests: no nearest ones are shown, and no answer is "
        "withheld for being far from all of them. Their probabilities are shares of trees, not "
        "calibrated. They learnt FEFF 9 spectra of the Materials Project (XASDB), and energies "
        "are not those of this project's models.",
        "",
        "Versions: " + ", ".join(f"{k} {v}" for k, v in record["versions"].items()) + ".",
    ]
    return "\n".join(lines) + "\n"


def _origin(found: Mapping[str, Any]) -> str:
    if not found.get("commit"):
        return "Made by a version that is not under git."
    changed = "" if found["clean"] else ", with changes that are not committed"
    return f"Made by commit {found['commit']}{changed}."


_METRICS = {"top-1": "top1", "exact": "exact", "Jaccard": "jaccard"}
_DECIDED = {"decided CN": "decided_cn", "decided environment": "decided_environment"}


def _metric_table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Figures of the likeliest whole rankings, and of what is decided where a record has them."""
    decided = any("decided_cn" in row for row in rows)
    shown = {**_METRICS, **_DECIDED} if decided else _METRICS
    names = ["split", "scope", "spectra", *shown, "baseline top-1"]
    found = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    for row in rows:
        baseline = row["baseline_top1"]
        cells = [
            row["split"], row["scope"], str(row["spectra"]),
            *(_share(row, name) for name in shown.values()),
            baseline if baseline == "" else format(baseline, ".3f"),
        ]  # fmt: skip
        found.append("| " + " | ".join(cells) + " |")
    told = (
        "Top-1, exact and Jaccard judge the likeliest whole ranking; decided is the first "
        "coordination number, or environment, by sums over all rankings, as in an answer."
    )
    return [*found, *(["", told] if decided else [])]


def _share(row: Mapping[str, Any], name: str) -> str:
    share, low, high = (row.get(f"{name}{end}", "") for end in ("", "_low", "_high"))
    if share == "":
        return "-"
    return f"{share:.3f}" + ("" if "" in (low, high) else f" ({low:.3f}-{high:.3f})")
