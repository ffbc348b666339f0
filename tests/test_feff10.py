"""The real FEFF10: one run, its self-consistency, a crystal simulated, chunks in the workflow."""

import csv
import hashlib
import json
import os
import re
import signal
import subprocess
import time

import numpy as np
import pytest
import yaml
from pymatgen.core import Lattice, Structure
from typer.testing import CliRunner

from conftest import ROOT, rutile, spinel
from project import BIN, RUN, TINY, make_project, run, snakemake
from xascoord.cli.main import app
from xascoord.core.errors import StructureError
from xascoord.measured.read import read_measurements
from xascoord.settings.feff import FAST, PUBLISHED, Preset
from xascoord.settings.sources import Demo
from xascoord.sources.feff.engines import feff10_commands
from xascoord.sources.feff.inputs import (
    INPUT_VERSION,
    PATH_EXPANSION_VERSION,
    path_expansion_input,
    xanes_input,
)
from xascoord.sources.feff.run import run_feff
from xascoord.sources.feff.xmu import parse_xmu


def test_another_input_has_another_version():
    """Finished runs are known by it: change both together, and nothing old is taken for new."""
    places = [[0.1, 0.2, 0.3], [0.6, 0.1, 0.8], [0.3, 0.55, 0.2], [0.8, 0.4, 0.6]]
    lattice = Lattice.from_parameters(5.1, 6.2, 7.3, 81, 95, 103)
    low = Structure(lattice, ["Fe", "Si", "O", "O"], places)
    crystals = (rutile(), spinel(), low)
    texts = [xanes_input(crystal, 0, FAST, attempt) for crystal in crystals for attempt in (0, 1)]
    form, total = _form_and_total([*texts, xanes_input(low, 0, PUBLISHED)])
    assert (INPUT_VERSION, form) == (1, "3f9c9ac26105c296")
    assert total == pytest.approx(78.3150, abs=2e-3)
    form, total = _form_and_total(
        [path_expansion_input(crystal, 0, Demo()) for crystal in crystals]
    )
    assert (PATH_EXPANSION_VERSION, form) == (2, "b0f4e39dcfebdbc9")
    assert total == pytest.approx(-75.2556, abs=2e-3)


def _form_and_total(texts):
    """A digest of inputs without the digits of coordinates, and a sum that each enters otherwise.

    Coordinates are compared as numbers: a last digit is a matter of the processor.
    """
    coordinate = re.compile(r"-?\d+\.\d+")  # distances, too; other numbers of an atom are whole
    forms, numbers = [], []
    for text in texts:
        cards, atoms = text.split("ATOMS\n")
        forms += [cards, coordinate.sub(lambda found: re.sub(r"\d", "0", found[0]), atoms)]
        numbers += [float(found) for found in coordinate.findall(atoms)]
    digest = hashlib.sha256("".join(forms).encode()).hexdigest()[:16]
    return digest, float(np.cos(np.arange(len(numbers))) @ numbers)


def test_cards():
    text = xanes_input(rutile(), 0, FAST, 1)
    assert "SCF 3.5 0 30 0.05 1" in text
    assert "FMS 6 0" in text
    potentials = text.split("POTENTIALS\n")[1].split("ATOMS")[0].splitlines()
    assert potentials == ["0 22 Ti 2 2 0.001", "1 8 O 2 2 2", "2 22 Ti 2 2 1"]
    atoms = [line.split() for line in text.split("ATOMS\n")[1].splitlines()[:-1]]
    distances = [float(atom[5]) for atom in atoms]
    assert distances == sorted(distances)
    assert distances[1:7] == pytest.approx([1.9486] * 4 + [1.9816] * 2, abs=2e-3)
    assert "-1 -1" in xanes_input(rutile(), 0, PUBLISHED)


def test_equal_neighbours_stand_in_an_order_that_last_bits_cannot_turn():
    random = np.random.default_rng(0)
    for plain in (rutile(), spinel()):
        for _ in range(5):
            other = plain.copy()
            other.translate_sites(range(len(other)), random.normal(0, 1e-13, 3), frac_coords=True)
            assert xanes_input(other, 0, FAST) == xanes_input(plain, 0, FAST)
            expected = path_expansion_input(plain, 0, Demo())
            assert path_expansion_input(other, 0, Demo()) == expected


def test_coordinates_half_way_between_two_roundings():
    """MgO of a = 4.2115 has its oxygens at 2.10575 angstrom."""
    from pymatgen.core import Lattice, Structure

    halite = Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(4.2115), ["Mg", "O"], [[0, 0, 0], [0.5, 0.5, 0.5]]
    )
    random = np.random.default_rng(0)
    for _ in range(5):
        other = halite.copy()
        noise = random.normal(0, 1e-13, (len(other), 3))
        other = Structure(other.lattice, other.species, other.frac_coords + noise)
        assert xanes_input(other, 0, FAST) == xanes_input(halite, 0, FAST)


def test_a_cluster_without_one_of_the_elements_is_refused():
    from pymatgen.core import Lattice, Structure

    long = Structure(Lattice.orthorhombic(4, 4, 60), ["Ti", "O", "Cs"],
                     [[0, 0, 0], [0, 0, 0.03], [0, 0, 0.5]])  # fmt: skip
    with pytest.raises(StructureError, match="no Cs within 7 angstrom"):
        xanes_input(long, 0, Preset(**TINY))


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    text = xanes_input(rutile(), 0, Preset(**TINY))
    return run_feff(text, feff10_commands(), 120, tmp_path_factory.mktemp("feff"))


def test_rutile_by_full_multiple_scattering(first, tmp_path):
    assert first.reason == ""
    xmu = parse_xmu(first.xmu)
    assert xmu.mu.min() > 0
    assert xmu.energy[0] < 4966 + 8 < xmu.energy[-1]
    assert len(first.scf.fermi_levels) == 7
    assert -13 < first.scf.fermi_levels[-1] < -10
    assert first.cpu > 0.5
    text = xanes_input(rutile(), 0, Preset(**TINY))
    again = run_feff(text, feff10_commands(), 120, tmp_path)
    assert again.xmu == first.xmu  # to the last printed digit


def test_a_crystal_that_feff_cannot_do_says_why(tmp_path):
    narrow = Preset(**{**TINY, "l_max": 1})  # no room for the d electrons of Ti
    outcome = run_feff(xanes_input(rutile(), 0, narrow), feff10_commands(), 120, tmp_path)
    assert outcome.reason == "feff_failed"
    assert "pot" in outcome.detail
    # No addresses and no name of a scratch folder: they are others each time.
    assert "Unknown" not in outcome.detail
    assert str(tmp_path) not in outcome.detail


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A folder with a crystal and settings of a quick preset."""
    folder = tmp_path_factory.mktemp("desk")
    values = yaml.safe_load((ROOT / "params.yaml").read_text())
    values["feff"]["run"] |= RUN
    values["crystals"]["preset"] = "tiny"
    (folder / "params.yaml").write_text(yaml.safe_dump(values))
    rutile().to(filename=str(folder / "rutile.cif"))
    return folder


@pytest.fixture(scope="module")
def simulated(desk):
    """What is said of rutile; its files stand on the desk."""
    return run(desk, "xascoord", "simulate", "rutile.cif")


def test_simulate(desk, simulated):
    assert "CN_6 (octahedral" in simulated
    assert "FEFF: 1 of 1 sites" in simulated
    (spectrum,) = read_measurements(desk / "rutile_Ti/rutile_Ti_site0.xdi")
    assert "Mono.d_spacing" not in (desk / "rutile_Ti/rutile_Ti_site0.xdi").read_text()
    assert (spectrum.element, spectrum.edge, spectrum.channel) == ("Ti", "K", "mu")
    with (desk / "rutile_Ti/sites.csv").open(newline="") as handle:
        (row,) = csv.DictReader(handle)
    assert (row["multiplicity"], row["problem"]) == ("2", "")
    assert float(row["CN_6"]) > 0.9
    assert (desk / "rutile_Ti/rutile_Ti.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.slow
@pytest.mark.usefixtures("simulated")
def test_a_simulated_spectrum_compared_with_itself_moved(desk):
    """Energies moved by 4 eV come back as a move of e0 by 4 eV and no shift beyond it."""
    lines = (desk / "rutile_Ti/rutile_Ti_site0.xdi").read_text().splitlines()
    rows = [line.split() for line in lines if not line.startswith("#")]
    energy, mu = np.array(rows, dtype=float).T
    # A measurement reaches further: flat on both sides.
    energy = np.r_[energy[0] - np.arange(150, 0, -2), energy, energy[-1] + np.arange(2, 300, 4)]
    mu = np.r_[np.zeros(75), mu, np.full(75, mu[-1])]
    lines = [f"{e + 4:.3f} {m:.6f}" for e, m in zip(energy, mu, strict=True)]
    (desk / "moved.dat").write_text("# energy mu\n" + "\n".join(lines) + "\n")
    output = run(desk, "xascoord", "simulate", "rutile.cif", "--compare", "moved.dat",
                 "--format", "csv", "--out", "compared")  # fmt: skip
    found = re.search(r"moved by ([+-][\d.]+) eV .* by ([+-][\d.]+) eV more.*correlation ([\d.]+)",
                      output.replace("\n", " "))  # fmt: skip
    assert float(found[1]) == pytest.approx(4, abs=0.5)
    assert abs(float(found[2])) <= 0.5
    assert float(found[3]) > 0.99
    head = (desk / "compared/rutile_Ti_site0.csv").read_text().splitlines()[0]
    assert head == "energy,mu"


@pytest.mark.slow
def test_two_sites_and_their_average(desk):
    from conftest import spinel

    spinel("Ti", "Ti").scale_lattice(290 / 2).to(filename=str(desk / "spinel.cif"))
    output = run(desk, "xascoord", "simulate", "spinel.cif", "--workers", "2")
    names = sorted(path.name for path in (desk / "spinel_Ti").glob("*.xdi"))
    assert len(names) == 3, output
    assert "spinel_Ti_averaged.xdi" in names


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["gone.cif"], "gone.cif: no such file"),
        (["params.yaml"], "neither a CIF"),
        (["broken.cif"], "CIF not readable"),
        (["partial.cif"], "partially occupied sites; order it first"),
        (["rutile.cif", "--element", "Cu"], "not in TiO2, which has Ti"),
        (["rutile.cif", "--element", "O"], "K edges of Li"),
        (["rutile.cif", "--site", "1"], "no such site of Ti; --list shows them"),
        (["rutile.cif", "--preset", "best"], "--preset best: there are tiny"),
        (["rutile.cif", "--format", "xlsx"], "xdi or csv"),
        (["rutile.cif", "--compare", "gone.xdi"], "gone.xdi: no such file"),
        (["two.cif"], "which absorber? give --element, one of Mg, Al"),
    ],
)
def test_simulate_refuses_clearly(desk, monkeypatch, arguments, message):
    from pymatgen.io.cif import CifWriter

    from conftest import spinel

    (desk / "broken.cif").write_text("data_\n")
    partial = rutile()
    partial[0] = {"Ti": 0.5, "Zr": 0.5}
    CifWriter(partial).write_file(str(desk / "partial.cif"))
    spinel("Mg", "Al").to(filename=str(desk / "two.cif"))
    monkeypatch.chdir(desk)
    result = CliRunner().invoke(app, ["simulate", *arguments], catch_exceptions=False)
    assert result.exit_code == 2
    assert message in result.stderr


@pytest.fixture(scope="module")
def campaign(tmp_path_factory):
    """A project that computes the spectra of a few palladium oxides itself."""
    folder = tmp_path_factory.mktemp("crystals")
    return make_project(
        folder / "project", elements=["Pd"], sources=["crystals"], feff={"run": RUN},
        crystals={"preset": "tiny", "sites": 3, "substitute": False},
    )  # fmt: skip


@pytest.mark.kill
def test_a_campaign_killed_in_a_chunk_goes_on(campaign):
    target = "data/01_spectra/crystals/counts.csv"
    journals = campaign / "data/raw/crystals"
    process = subprocess.Popen(
        [str(BIN / "snakemake"), "--cores", "2", target], cwd=campaign, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while process.poll() is None and not any(p.stat().st_size for p in journals.glob("*.jsonl")):
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    time.sleep(1.5)  # what it had started ends with it
    before = {p.name: p.read_text().splitlines() for p in journals.glob("*.jsonl")}
    with (campaign / "data/01_spectra/crystals/plan/Pd/sites.csv").open(newline="") as handle:
        planned = sum(row["element"] == "Pd" for row in csv.DictReader(handle))
    assert 0 < sum(map(len, before.values())) < planned
    output = snakemake(campaign, target)
    assert "compute_crystals" in output
    lines = [line for p in journals.glob("*.jsonl") for line in p.read_text().splitlines()]
    entries = [json.loads(line) for line in lines]
    assert len(entries) == len({entry["key"] for entry in entries}) == planned
    assert {line for old in before.values() for line in old} <= set(lines)
    with (campaign / target).open(newline="") as handle:
        (counts,) = csv.DictReader(handle)
    assert (counts["absorber"], counts["found"]) == ("Pd", str(planned))
    assert int(counts["accepted"]) >= planned - 1
    assert "Nothing to be done" in snakemake(campaign, "-n", target)


@pytest.mark.kill
def test_all_failures_of_a_campaign_are_in_its_tables(campaign):
    """Held to a limit that no run meets, each becomes a rejection with its figures."""
    run_ = {**RUN, "convergence": {"fermi_drift": 1e-9, "charge_distance": 1e-9}}
    settings = {"elements": ["Pd"], "sources": ["crystals"], "feff": {"run": run_},
                "crystals": {"preset": "tiny", "sites": 3, "substitute": False}}  # fmt: skip
    command = ["xascoord", "--settings", json.dumps(settings), "sources"]
    out = ["crystals", "--out", "data/01_spectra/crystals"]
    run(campaign, *command, "import", *out, "--element", "Pd")
    output = run(campaign, *command, "join", *out, check=False)
    found = re.search(r"none of (\d) spectra can be used \((\d) x unconverged", output)
    assert found, output
    assert found[1] == found[2]
