"""What several tests share: settings, hand-made crystals and spectra, the outside data."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filelock import FileLock
from hypothesis import settings as hypothesis_settings

from project import ROOT, commit, make_project, run, snakemake, track
from xascoord.settings.spectra import EdgeEnergy, Window
from xascoord.settings.tree import Settings, parse_settings

# Without a time for each example: a slow machine fails none.
hypothesis_settings.register_profile("xascoord", deadline=None)
hypothesis_settings.load_profile("xascoord")

SHARED = ROOT.parent / "shared"
# Of Patterns, as in params_patterns.yaml; the defaults are others.
PAPER_WINDOW = Window(lower=-5.0, upper=45.0, points=200, tail=0.0)
PAPER_EDGE = EdgeEnergy(step_range=(15.0, 45.0))


@pytest.fixture(scope="session")
def root() -> Path:
    """The project folder."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real spectra that are not part of the project."""
    if not (SHARED / "spectra").is_dir():
        pytest.skip("the folder of real spectra is not beside the project")
    return SHARED


def pytest_addoption(parser: pytest.Parser) -> None:
    """Tests that change the machine run only if they are asked for."""
    parser.addoption(
        "--cluster", action="store_true",
        help="run the tests on a Slurm that they start (root; writes /etc/slurm, starts munge)",
    )  # fmt: skip
    parser.addoption(
        "--mounts", action="store_true",
        help="run the tests on small file systems that they mount (root)",
    )  # fmt: skip


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests of real spectra are those that ask for them; mounts are made where they are allowed.

    What waits for a run of the workflow begins with it, while the other process tests the rest.
    """
    items.sort(key=lambda item: "finished" not in getattr(item, "fixturenames", ()))
    for item in items:
        if "mounts" in item.keywords and not config.getoption("--mounts"):
            item.add_marker(pytest.mark.skip(reason="mounts file systems: give --mounts"))
        if "shared" in getattr(item, "fixturenames", ()):
            item.add_marker("real_data")


def _once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder that is made by the first of several test processes that asks for it."""
    base = factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, made = base / name / "project", base / name / "made"
    folder.parent.mkdir(exist_ok=True)
    with FileLock(base / f"{name}.lock"):
        if not made.exists():
            make(folder)
            made.touch()
    return folder


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A slice of the project that Snakemake has run: look, do not touch.

    What it printed is in ``output.txt`` beside it.
    """

    def make(folder: Path) -> None:
        make_project(folder)
        printed = snakemake(folder, "all", "classify_geometries")
        (folder.parent / "output.txt").write_text(printed)

    return _once(tmp_path_factory, "finished", make)


@pytest.fixture(scope="session")
def versioned(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same under git and DVC, as ``dvc repro`` leaves it."""

    def make(folder: Path) -> None:
        shutil.copytree(finished, folder)
        track(folder)
        snakemake(folder, "--report", "results/report.html")
        run(folder, "dvc", "commit", "--force")
        commit(folder, "Results")

    return _once(tmp_path_factory, "versioned", make)


@pytest.fixture(scope="session")
def settings() -> Settings:
    """All defaults."""
    return Settings()


def make_settings(**sections: Any) -> Settings:
    """Defaults with some sections replaced."""
    return parse_settings(sections, "test")


def edge_spectrum(
    e0: float, *, span: tuple[float, float] = (-15.0, 80.0), points: int = 191, width: float = 1.5
) -> tuple[np.ndarray, np.ndarray]:
    """An arctangent edge with one oscillation: half of its step is close to ``e0``."""
    relative = np.linspace(*span, points)
    step = 0.5 + np.arctan(relative / width) / np.pi
    ripple = 0.1 * np.exp(-(((relative - 12) / 4) ** 2))
    return e0 + relative, np.round(step + ripple, 6)


def rutile(metal: str = "Ti") -> Any:
    """Rutile: 6 sites, metals 0 and 1 equivalent."""
    from pymatgen.core import Lattice, Structure

    return Structure.from_spacegroup(
        "P4_2/mnm", Lattice.tetragonal(4.594, 2.959), [metal, "O"], [[0, 0, 0], [0.305, 0.305, 0]]
    )


def spinel(tetrahedral: str = "Cu", octahedral: str = "Cu") -> Any:
    """Spinel, primitive cell of 14 sites: two tetrahedral, four octahedral cations (origin 1)."""
    from pymatgen.core import Lattice, Structure

    return Structure.from_spacegroup(
        "Fd-3m",
        Lattice.cubic(8.08),
        [tetrahedral, octahedral, "O"],
        [[0, 0, 0], [0.625, 0.625, 0.625], [0.3874, 0.3874, 0.3874]],
    ).get_primitive_structure()


def copper_orbits(structure: Any) -> list[int]:
    """The first site of each orbit of copper in a crystal."""
    from xascoord.structures.symmetry import equivalent_sites

    orbits = equivalent_sites(structure, 0.01)
    return sorted({o for o, site in zip(orbits, structure) if site.specie.symbol == "Cu"})


def xas_dictionary(structure: Any, index: int | None, element: str, e0: float) -> dict[str, Any]:
    """A pymatgen XAS dictionary as it stands in a dump."""
    import json

    from pymatgen.analysis.xas.spectrum import XAS

    energy, mu = edge_spectrum(e0)
    xas = XAS(energy, mu, structure, element, edge="K", absorbing_index=index)
    return json.loads(xas.to_json())


def xmu_text(energy: np.ndarray, mu: np.ndarray, header: str | None = None) -> str:
    """An xmu.dat as FEFF 9 writes it."""
    head = (
        header
        if header is not None
        else "# FEFF 9.9.1\n#  omega    e    k    mu    mu0     chi     @#\n"
    )
    rows = (
        f"{e:13.3f}{e - energy[0]:11.3f}{0.05 * i:8.3f}{m:13.5E}{m:13.5E}{0:13.5E}\n"
        for i, (e, m) in enumerate(zip(energy, mu, strict=True))
    )
    return head + "".join(rows)
