"""A corpus of FEFF output and dumps in which everything that can break is broken once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from conftest import edge_spectrum, rutile, spinel, xas_dictionary, xmu_text

CU, TI = 8980.0, 4966.0


def _site(
    root: Path, material: str, site: str, content: bytes | str, structure: Any = None
) -> None:
    folder = root / "Cu" / material
    run = folder / "FEFF-XANES" / site
    run.mkdir(parents=True, exist_ok=True)
    if structure is not None:
        structure.to(filename=str(folder / "POSCAR"), fmt="poscar")
    data = content.encode() if isinstance(content, str) else content
    (run / "xmu.dat").write_bytes(data)


def feff_corpus(root: Path) -> dict[str, str]:
    """Write the corpus; returns {run folder: reason}, "" for the good ones."""
    from pymatgen.core import Lattice, Structure

    energy, mu = edge_spectrum(CU)
    good, crystal = xmu_text(energy, mu), rutile("Cu")
    nan, negative, back = mu.copy(), mu.copy(), energy.copy()
    nan[50], negative[3], back[60] = np.nan, -0.01, energy[10]
    broken: dict[str, tuple[str | bytes, str]] = {
        "good": (good, ""),
        "truncated": (good[: len(good) // 2 + 7], "truncated"),
        "nan": (xmu_text(energy, nan), "not_a_number"),
        "negative": (xmu_text(energy, negative), "negative_mu"),
        "decreasing": (xmu_text(energy[::-1], mu[::-1]), "energy_not_increasing"),
        "one-step-back": (xmu_text(back, mu), "energy_not_increasing"),
        "swapped": (xmu_text(mu, energy), "energy_not_at_edge"),
        "other-edge": (xmu_text(*edge_spectrum(7112)), "energy_not_at_edge"),
        "empty": ("", "empty"),
        "header-only": ("# omega e k mu mu0 chi\n", "empty"),
        "few-points": (xmu_text(energy[:20], mu[:20]), "too_few_points"),
        "flat": (xmu_text(energy, np.full_like(mu, 0.5)), "no_edge"),
        "not-utf8": (b"\xff\xfe\x00" + good.encode(), "not_utf8"),
        "text": (good.replace("5.000", "stars"), "not_a_number"),
        "ragged": (good.replace("  0.00000E+00\n", "\n", 1), "wrong_columns"),
        "unconverged": (good.replace("FEFF 9.9.1", "SCF: not converged"), "unconverged"),
    }
    expected = {}
    for name, (content, reason) in broken.items():
        _site(root, name, "000_Cu", content, crystal)
        expected[f"Cu/{name}/FEFF-XANES/000_Cu"] = reason
    for name, site, structure, reason in (
        ("out-of-range", "009_Cu", crystal, "site_out_of_range"),
        ("mismatch", "002_Cu", crystal, "element_mismatch"),
        ("no-poscar", "000_Cu", None, "no_structure"),
    ):
        _site(root, name, site, good, structure)
        expected[f"Cu/{name}/FEFF-XANES/{site}"] = reason
    overlapping = Structure(Lattice.cubic(4), ["Cu", "Cu", "O"], [[0] * 3, [0] * 3, [0.5] * 3])
    metal = Structure(Lattice.cubic(3.6), ["Cu"], [[0, 0, 0]])
    for name, structure, reason in (
        ("overlapping", overlapping, "bad_structure"),
        ("metal", metal, "not_an_oxide"),
    ):
        _site(root, name, "000_Cu", good, structure)
        expected[f"Cu/{name}/FEFF-XANES/000_Cu"] = reason
    _site(root, "bad-poscar", "000_Cu", good)
    (root / "Cu/bad-poscar/POSCAR").write_text("no\ncell\nhere\n")
    expected["Cu/bad-poscar/FEFF-XANES/000_Cu"] = "bad_structure"
    _site(root, "log", "000_Cu", good, crystal)
    (root / "Cu/log/FEFF-XANES/000_Cu/log1.dat").write_text(
        "Convergence not reached in 30 iterations\n"
    )
    expected["Cu/log/FEFF-XANES/000_Cu"] = "unconverged"
    crashed = root / "Cu/good/FEFF-XANES/001_Cu"
    crashed.mkdir()
    (crashed / "feff.inp").write_text("TITLE crashed\n")
    expected["Cu/good/FEFF-XANES/001_Cu"] = "empty"
    _site(root, "one-of-two", "000_Cu", good, spinel())  # its other orbit has no spectrum
    expected["Cu/one-of-two/FEFF-XANES/000_Cu"] = ""
    return expected


def dump_documents() -> list[tuple[Any, str]]:
    """Documents of a dump with the reason each is rejected for, "" for good ones."""
    titania, inverse = rutile("Ti"), spinel()

    def changed(**values: Any) -> dict[str, Any]:
        document = {**xas_dictionary(titania, 0, "Ti", TI), "task_id": f"mp-{len(documents) + 1}"}
        return {k: v for k, v in {**document, **values}.items() if v is not ...}

    documents: list[tuple[Any, str]] = []
    numbers = xas_dictionary(titania, 0, "Ti", TI)["y"]["data"]
    partial = rutile("Ti")
    partial[0] = {"Ti": 0.5, "Zr": 0.5}
    for values, reason in (
        ({}, ""),
        ({"absorbing_index": None}, ""),
        ({"absorbing_index": 6}, "site_out_of_range"),
        ({"absorbing_index": -1}, "site_out_of_range"),
        ({"absorbing_index": 3}, "element_mismatch"),
        ({"absorbing_index": "0"}, "wrong_type"),
        ({"absorbing_element": "Cu"}, "element_mismatch"),
        ({"edge": "L3"}, "other_edge"),
        ({"spectrum_type": "EXAFS"}, "other_edge"),
        ({"x": ...}, "missing_key"),
        ({"structure": ...}, "no_structure"),
        ({"structure": {"lattice": 3}}, "bad_structure"),
        ({"structure": partial.as_dict()}, "bad_structure"),
        ({"y": "lots"}, "wrong_type"),
        ({"y": [*numbers[:-1], "0.9"]}, "wrong_type"),
        ({"y": numbers[:-3]}, "wrong_columns"),
        ({"y": []}, "wrong_columns"),
        ({"x": [], "y": []}, "empty"),
        ({"y": [-0.1, *numbers[1:]]}, "negative_mu"),
        ({"y": [None, *numbers[1:]]}, "not_a_number"),
    ):
        documents.append((changed(**values), reason))
    documents.append((documents[0][0], "duplicate"))
    documents.append((["a", "list"], "wrong_type"))
    documents.append((3, "wrong_type"))
    documents.append((xas_dictionary(inverse, 0, "Cu", CU), ""))
    return documents


def write_dump(folder: Path) -> dict[str, int]:
    """Write the documents in three forms, plus broken files; returns rejections by reason."""
    import gzip
    from collections import Counter

    folder.mkdir(parents=True, exist_ok=True)
    documents = dump_documents()
    lines = [json.dumps(document).encode() for document, _ in documents]
    lines += [b'{"x": [1, 2', b"\xff\xfe{}"]
    (folder / "a.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    reasons = Counter(reason for _, reason in documents)
    reasons.update(["unreadable", "not_utf8"])
    array = json.dumps([documents[0][0], documents[1][0]]).encode()
    (folder / "b.json").write_bytes(array[: len(array) - 40])  # its first document is a duplicate
    reasons.update(["duplicate", "truncated"])
    (folder / "c.json").write_bytes(b"")
    (folder / "d.json").write_bytes(b'"text"')
    reasons.update(["empty", "wrong_type"])
    packed = gzip.compress(lines[0] + b"\n" + lines[1] + b"\n", mtime=0)
    (folder / "e.jsonl.gz").write_bytes(packed[: len(packed) // 2])
    reasons.update(["truncated"])
    return reasons
