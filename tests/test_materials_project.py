"""Contract with the real mp-api client, against a loopback server with every known fault."""

import csv
import os
import random
import signal
import subprocess
import sys
import time

import pytest

from conftest import make_settings, rutile, xas_dictionary
from corrupt import TI
from mp_server import KEY, MaterialsProjectServer, titanium_documents
from xascoord.core.errors import SourceError, XascoordError
from xascoord.core.schemas import SPECTRA
from xascoord.core.tables import read_rows
from xascoord.jobs.journal import Journal
from xascoord.sources.materials_project import NAME
from xascoord.sources.stage import download, import_source, join_elements


@pytest.fixture
def serve(monkeypatch):
    monkeypatch.setenv("MP_API_KEY", KEY)
    servers = []

    def start(documents, faults=None):
        servers.append(MaterialsProjectServer(documents, faults))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def _settings(server, **options):
    options = {
        "endpoint": server.endpoint,
        "batch_size": 3,
        "retries": 4,
        "max_wait": 0.02,
    } | options
    return make_settings(sources=[NAME], elements=["Ti"], materials_project=options)


def _import(settings, tmp_path):
    (count,) = import_source(NAME, settings, tmp_path / "out", tmp_path)
    return count, read_rows(tmp_path / "out/spectra/Ti.parquet", SPECTRA)


def test_oxides_and_only_theirs(serve, tmp_path, capsys):
    server = serve(titanium_documents())
    settings = _settings(server)
    download(settings, tmp_path, tmp_path / "version.json")
    count, rows = _import(settings, tmp_path)
    assert count["found"] == count["accepted"] == 7
    assert [row["material"] for row in rows] == [f"mp-{100 + n}" for n in range(7)]
    assert {(row["kind"], row["site_index"], row["multiplicity"]) for row in rows} == {
        ("averaged", -1, 2)
    }
    assert "2026.10.01" in (tmp_path / "version.json").read_text()
    assert server.keys == {KEY}
    written = "".join(p.read_text(errors="replace") for p in tmp_path.rglob("*") if p.is_file())
    captured = capsys.readouterr()
    assert KEY not in written + captured.out + captured.err


@pytest.mark.parametrize("fault", ["500", "503", "502", "dropped", "empty page", "torn"])
def test_faults_are_survived_and_nothing_is_lost(serve, tmp_path, fault):
    server = serve(titanium_documents(), {0: fault, 3: fault, 5: fault})
    settings = _settings(server)
    download(settings, tmp_path, tmp_path / "version.json")
    count, rows = _import(settings, tmp_path)
    assert count["accepted"] == len({row["spectrum_id"] for row in rows}) == 7


def test_a_dead_server_ends_in_one_clear_error_and_the_rest_is_kept(serve, tmp_path):
    server = serve(titanium_documents(), dict.fromkeys(range(3, 100), "503"))
    with pytest.raises(SourceError, match="run again to go on"):
        download(_settings(server), tmp_path, tmp_path / "version.json")
    with Journal(tmp_path / NAME / "Ti.jsonl") as journal:
        assert sum(key.startswith("mp-") for key in journal.keys) == 3
    server.faults = {}
    before = len(server.served())
    download(_settings(server), tmp_path, tmp_path / "version.json")
    assert len(server.served()) - before == 4  # what was complete is not fetched again
    assert _import(_settings(server), tmp_path)[0]["accepted"] == 7


@pytest.mark.parametrize("fault", ["400", "401", "403", "404"])
def test_refusals_are_final_at_once(serve, tmp_path, fault):
    server = serve(titanium_documents(), dict.fromkeys(range(100), fault))
    with pytest.raises(SourceError, match="refuses"):
        download(_settings(server), tmp_path, tmp_path / "version.json")
    assert len(server.searches) == 1


@pytest.mark.parametrize("key", ["", "short"])
def test_no_key_says_how_to_get_one(monkeypatch, tmp_path, key):
    monkeypatch.setenv("MP_API_KEY", key)
    with pytest.raises(SourceError, match="MP_API_KEY"):
        download(make_settings(sources=[NAME]), tmp_path, tmp_path / "version.json")


def test_broken_documents_are_rejected_with_their_reason(serve, tmp_path):
    documents = titanium_documents(4)
    documents[1]["spectrum"]["y"]["data"][5] = -0.2
    del documents[2]["spectrum"]["structure"]
    settings = _settings(serve(documents))
    download(settings, tmp_path, tmp_path / "version.json")
    count, _ = _import(settings, tmp_path)
    assert (count["found"], count["accepted"], count["rejected"]) == (4, 2, 2)
    with (tmp_path / "out/rejections.csv").open() as handle:
        reasons = {row["item"]: row["reason"] for row in csv.DictReader(handle)}
    assert reasons == {"mp-101": "negative_mu", "mp-102": "no_structure"}


def test_elements_that_are_imported_one_by_one_are_the_source(serve, tmp_path):
    """The tables of each, and their counts and rejections joined, are those of one import."""
    documents = titanium_documents(4)
    documents[1]["spectrum"]["y"]["data"][5] = -0.2
    settings = _settings(serve(documents)).model_copy(update={"elements": ("Ti", "Fe")})
    for element in settings.elements:
        one = settings.model_copy(update={"elements": (element,)})
        download(one, tmp_path, tmp_path / f"version/{element}.json")
        import_source(NAME, settings, tmp_path / "parts", tmp_path, element)
    assert not (tmp_path / "parts/counts.csv").exists()
    join_elements(NAME, settings, tmp_path / "parts")
    import_source(NAME, settings, tmp_path / "whole", tmp_path)
    for path in (tmp_path / "whole").rglob("*.*"):
        mine = tmp_path / "parts" / path.relative_to(tmp_path / "whole")
        assert mine.read_bytes() == path.read_bytes()
    with pytest.raises(XascoordError, match="no such table"):
        join_elements(NAME, make_settings(elements=["Cu"]), tmp_path / "parts")
    import_source(NAME, settings, tmp_path / "parts", tmp_path, "Cu")  # nothing of it, no error
    with pytest.raises(XascoordError, match="none of 0 spectra can be used"):
        join_elements(NAME, make_settings(elements=["Cu"]), tmp_path / "parts")


DOWNLOAD = """
import json, sys
from pathlib import Path
from xascoord.settings.tree import parse_settings
from xascoord.sources.stage import download
folder = Path(sys.argv[1])
download(parse_settings(json.loads(sys.argv[2]), "test"), folder, folder / "version.json")
"""


@pytest.mark.kill
def test_kill_dash_nine_and_rerun(serve, tmp_path):
    import json

    server = serve(titanium_documents(40))
    settings = _settings(server, batch_size=1)
    text = json.dumps(settings.model_dump(mode="json"))
    command = [sys.executable, "-W", "ignore", "-c", DOWNLOAD, str(tmp_path), text]
    process = subprocess.Popen(command, env={**os.environ, "MP_API_KEY": KEY})
    stop = random.Random(7).randint(5, 25)
    while len(server.served()) < stop and process.poll() is None:
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    with Journal(tmp_path / NAME / "Ti.jsonl") as journal:
        complete = {key for key in journal.keys if key.startswith("mp-")}
    assert 0 < len(complete) < 40
    first = len(server.served())
    subprocess.run(command, check=True, env={**os.environ, "MP_API_KEY": KEY})
    again = server.served()[first:]
    assert set(again).isdisjoint(complete)  # nothing complete is fetched again
    assert len(again) == 40 - len(complete)
    count, rows = _import(settings, tmp_path)
    assert count["accepted"] == len({row["spectrum_id"] for row in rows}) == 40


def test_unfinished_downloads_are_not_dropped_silently(tmp_path):
    from xascoord.sources.materials_project import read_downloads

    document = {"task_id": "mp-1", "spectrum": xas_dictionary(rutile(), None, "Ti", TI)}
    with Journal(tmp_path / "Ti.jsonl") as journal:
        journal.add("#list", tasks=["mp-1", "mp-2"], version="1")
        journal.add("mp-1", document=document)
    found = list(read_downloads(make_settings(elements=["Ti"]), tmp_path))
    assert len(found) == 2
    assert "not downloaded yet" in found[1][0].detail
