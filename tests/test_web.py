"""The page: its parts as functions, always; the page in a browser by the mark ``web``."""

import base64
import csv
import io
import json
import re
import socket
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("dash", reason="needs the extra 'web'")

from browser import browsing, chromium, put, running, wait_for_answers
from conftest import make_settings
from model_data import copper_edge, train_copper
from project import ROOT
from xascoord.core.errors import XascoordError
from xascoord.measured.columns import REMEDY
from xascoord.prediction.predictor import Predictor
from xascoord.settings.limits import DEFAULT_LIMITS, Limits
from xascoord.settings.models import Prediction
from xascoord.web import callbacks
from xascoord.web.asking import Asker, Wishes
from xascoord.web.crystal_figure import alt_crystal, crystal_figure
from xascoord.web.crystals import Crystals
from xascoord.web.figures import (
    alt_references,
    normalisation_lines,
    places_of,
    references_figure,
    series_figure,
)
from xascoord.web.models_page import element_card, periodic_table
from xascoord.web.panels import answer_panel, references_panel
from xascoord.web.received import content_of, wishes_of
from xascoord.web.report import html_report
from xascoord.web.rows import as_csv, as_json, refused
from xascoord.web.server import make_app
from xascoord.web.words import plain, sentence, shown_name

FAST = {"classifiers": ["forest", "knn"], "compare": [], "learning_curve": [], "bootstrap": 10}
NASTY = "<script>document.title='owned'</script>.dat"
FIELDS = {"element": "auto", "channel": "auto", "classifier": "forest", "rate": 0.1,
          "deglitch": [], "e0": None, "shift": 0}  # fmt: skip


@pytest.fixture(scope="module")
def bundles(tmp_path_factory):
    return train_copper(tmp_path_factory.mktemp("copper"), make_settings(models=FAST))


@pytest.fixture(scope="module")
def asker(bundles):
    return Asker(bundles, Prediction(), None, DEFAULT_LIMITS)


def copper(kind=0, index=3, scale=2.5, offset=0.3):
    energy, mu = copper_edge(kind, index)
    rows = zip(energy, scale * mu + offset)
    return ("\n".join(f"{e:.3f} {m:.6f}" for e, m in rows) + "\n").encode()


def uploaded(content, name="a.dat", key="f0", **fields):
    data = "data:application/octet-stream;base64," + base64.b64encode(content).decode()
    return {"key": key, "name": name, "content": data, "wishes": {**FIELDS, **fields}, "place": 0,
            "id": f"{key}/0"}  # fmt: skip


def text_of(parts):
    """All text of parts of the page."""
    if isinstance(parts, str | int | float):
        return str(parts)
    if isinstance(parts, list | tuple):
        return " ".join(map(text_of, parts))
    return text_of(getattr(parts, "children", None) or "")


# What is said


def test_words_name_the_fields_of_the_page_not_options():
    # The page has no fields for columns.
    assert "--" not in plain(f"no channel here; choose another --channel, or {REMEDY}")
    right = "is the channel right?"
    assert plain(f"{right} Else name columns with --i0, --i1, --if or --mu") == right
    assert plain("is the element right? Else give --e0") == (
        "is the element right? Else give ‘Energy zero’"
    )
    assert sentence("no K edge; give --element") == "No K edge; give ‘Element’."
    assert sentence("e0 7112.0 eV is far") == "e0 7112.0 eV is far."
    assert sentence("") == ""


def test_names_are_shown_without_what_would_hide():
    assert shown_name("a\u202eb\n.dat") == "a\\u202eb\\n.dat"
    assert len(shown_name("x" * 5000)) < 300
    assert shown_name("") == "unnamed"


# What comes in


@pytest.mark.parametrize("upload", [None, 3, "", "abc", "data:x;base64,!!", "data:x;base64,a"])
def test_an_upload_that_did_not_come_whole_is_one_sentence(upload):
    with pytest.raises(XascoordError, match="did not come whole"):
        content_of(upload, DEFAULT_LIMITS)


def test_an_upload_has_a_largest_size():
    body = base64.b64encode(bytes(2000)).decode()
    assert len(content_of(f"data:;base64,{body}", Limits(file_bytes=2000))) == 2000
    with pytest.raises(XascoordError, match="are more than the"):
        content_of(f"data:;base64,{body}", Limits(file_bytes=1000))


@pytest.mark.parametrize(
    ("field", "value"),
    [("element", "Xx"), ("element", ["Fe"]), ("channel", "x"), ("classifier", "../../etc"),
     ("e0", "7112"), ("e0", float("nan")), ("shift", True), ("rate", {})],
)  # fmt: skip
def test_fields_are_checked(field, value):
    with pytest.raises(XascoordError, match="must be"):
        wishes_of({**FIELDS, field: value}, ["forest"])


def test_fields_become_wishes():
    wishes = wishes_of({**FIELDS, "element": "Cu", "shift": -1.5, "deglitch": ["x"]}, ["forest"])
    assert wishes == Wishes("Cu", deglitch=True, shift=-1.5)


# What is answered


def test_the_page_answers_as_the_command_line(asker, bundles, tmp_path):
    path = tmp_path / "a.dat"
    path.write_bytes(copper())
    expected = Predictor(bundles).predict_file(path)[0]
    answered = callbacks.answer_file(asker, uploaded(path.read_bytes()))
    (row,) = answered["rows"]
    assert row["record"] == json.loads(json.dumps(expected.record()))
    assert row["sentence"] == plain(expected.sentence())
    assert sum(share for _, share in row["bars"]) == pytest.approx(1, abs=0.01)
    assert row["picture"].startswith("data:image/svg+xml;base64,")
    json.dumps(answered, allow_nan=False)  # what a browser can read


def test_a_shift_moves_e0_and_zero_leaves_the_answer(asker):
    content = copper()
    found = asker.ask(content, "a.dat", Wishes())[0].answer
    moved = asker.ask(content, "a.dat", Wishes(shift=1.5))[0].answer
    assert moved.prepared.e0 == pytest.approx(found.prepared.e0 + 1.5)
    assert moved.prepared.given_e0 and not found.prepared.given_e0
    assert asker.ask(content, "a.dat", Wishes())[0].answer is found  # remembered


def test_fields_change_the_answer(asker):
    content = copper()
    wide, narrow = (
        asker.ask(content, "a.dat", Wishes(error_rate=rate))[0].answer.certain
        for rate in (0.01, 0.2)
    )
    assert set(narrow) <= set(wide)
    neighbours = asker.ask(content, "a.dat", Wishes(classifier="knn"))[0].answer
    assert neighbours.classifier == "knn"
    given = asker.ask(content, "a.dat", Wishes(e0=8980.0))[0].answer
    assert given.prepared.e0 == 8980.0
    # What is loaded is shared: a request leaves nothing behind for the next.
    again = asker.ask(content, "b.dat", Wishes())[0].answer
    assert (again.error_rate, again.classifier) == (0.1, "forest")


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "empty"), (b"no numbers\n", "columns"), (b"\x00\xff" * 500, "columns"),
     (b"1 2\n" * 40, "energies"), (b"\x1f\x8bnot gzip", "gzip")],
)  # fmt: skip
def test_bad_files_are_one_sentence_and_no_path(asker, content, said):
    (row,) = callbacks.answer_file(asker, uploaded(content, "bad.dat"))["rows"]
    assert row["answer"] == "no answer"
    assert said in row["reason"].lower()
    assert "/tmp" not in row["reason"] and "upload.dat" not in row["reason"]
    assert row["reason"].count("\n") == 0


def test_an_element_without_models_is_refused(asker):
    rows = zip(*copper_edge(0, 3, e0=7112.0))
    iron = "".join(f"{e:.3f} {m:.6f}\n" for e, m in rows).encode()
    (row,) = callbacks.answer_file(asker, uploaded(iron, element="Fe"))["rows"]
    assert "no models of Fe" in row["reason"] or "No models of Fe" in row["reason"]


def test_a_fault_of_ours_is_one_sentence(asker, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError("oh <b>")

    monkeypatch.setattr(asker, "ask", broken)
    (row,) = callbacks.answer_file(asker, uploaded(copper()))["rows"]
    assert "ZeroDivisionError" in row["reason"] and "the page goes on" in row["reason"]


def test_all_of_an_answer_is_shown(asker, monkeypatch):
    monkeypatch.setattr(callbacks, "set_props", lambda *_: None)
    shown = callbacks.show(asker, Crystals(), uploaded(copper(), NASTY), FIELDS)
    panel, mu, alt, window, _, crystal, *_, hidden, row = shown
    text = " ".join(text_of(panel).split())
    assert NASTY in text and "neighbours" in text and "Coordination number" in text
    # What was asked is computed: no measured reference is it, but the nearest are shown.
    assert "In 90 % of such cases it is" in text and "(tested on measured compounds)" in text
    assert "computed spectra" not in text and "Kind: oxygen compound (" in text
    assert "Measured Cu compounds, each asked without itself" in text
    assert [line["name"] for line in mu["data"]] == [
        "μ as measured", "pre-edge line", "and one edge step"
    ]  # fmt: skip
    assert "e0 at" in alt and not hidden
    assert window["data"][0]["name"] == "measured" and len(window["data"]) == 4
    assert "No structure" in crystal["layout"]["annotations"][0]["text"]
    assert row["file"] == NASTY
    json.dumps([mu, window, crystal, row], allow_nan=False)


def test_a_refusal_is_shown_instead(asker, monkeypatch):
    monkeypatch.setattr(callbacks, "set_props", lambda *_: None)
    panel, *_, hidden, row = callbacks.show(asker, Crystals(), uploaded(b"nothing"), FIELDS)
    assert hidden and "No answer" in text_of(panel) and row["id"] == "f0/0"


def test_without_a_file_the_page_asks_for_one(asker):
    """As at the start, after 'Clear' too: nothing was refused."""
    panel, *_, hidden, row = callbacks.show(asker, Crystals(), None, FIELDS)
    assert hidden and row is callbacks.no_update
    assert "Drop a spectrum" in text_of(panel) and "No answer" not in text_of(panel)


def test_nearest_references_have_a_card_and_curves(asker):
    (one,) = asker.ask(copper(), "a.dat", Wishes())
    near = one.answer.references
    text = text_of(references_panel(one.answer))
    assert len(near) == 3 and all(n.reference.compound in text for n in near)
    assert f"{near[0].distance:.3f}" in text and "Nearest measured references" in text
    figure = references_figure(one.answer)
    measured, first, *_ = figure["data"]
    assert measured["name"] == "measured" and len(figure["data"]) == 4
    assert first["name"].startswith(near[0].reference.compound)
    assert -25 <= min(first["x"]) < -10 and 50 < max(first["x"]) <= 75  # about e0
    assert near[0].reference.compound in alt_references(one.answer)
    mine = replace(near[0], reference=replace(near[0].reference, own=True, compound="<b>x\u202e"))
    text = text_of(references_panel(replace(one.answer, references=(mine,))))
    assert "your own" in text and "\u202e" not in text


def test_without_references_nothing_of_them_is_shown(bundles, monkeypatch):
    monkeypatch.setattr(callbacks, "set_props", lambda *_: None)
    settings = Prediction.model_validate({"references": False})
    alone = Asker(bundles, settings, None, DEFAULT_LIMITS)
    panel, *shown = callbacks.show(alone, Crystals(), uploaded(copper()), FIELDS)
    *_, none_drawn, facts, none_said, hidden, row = shown
    text = text_of(panel)
    assert (none_drawn, facts, none_said, hidden) == (True, [], True, False)
    assert "(tested on computed spectra)" in text
    assert not [word for word in ("Kind", "easured", "Pre-edge") if word in text]
    report = html_report([row])
    assert "tested on computed spectra" in report and "references" not in report
    assert row["kind"] == row["reference"] == ""


def test_lines_of_the_normalisation_are_those_that_were_taken_off():
    energy = np.linspace(8800, 9400, 400)
    norm = 0.5 + np.arctan((energy - 8979) / 2) / np.pi
    line = 0.4 - 1e-4 * (energy - 8979)
    found, step = normalisation_lines(energy, line + 2.2 * norm, norm)
    assert step == pytest.approx(2.2) and found == pytest.approx(line, abs=1e-6)
    assert normalisation_lines(energy, norm**2 + np.sin(energy), norm) is None


def test_an_athena_project_gives_a_row_for_each_spectrum(asker, tmp_path):
    from larch import Group
    from larch.io import create_athena

    project = create_athena(str(tmp_path / "two.prj"))
    for kind in (0, 1):
        energy, mu = copper_edge(kind, 2)
        project.add_group(Group(energy=energy, mu=mu, label=f"s{kind}", filename=f"s{kind}"))
    project.save()
    content = (tmp_path / "two.prj").read_bytes()
    rows = callbacks.answer_file(asker, uploaded(content, "two.prj"))["rows"]
    assert [row["id"] for row in rows] == ["f0/0", "f0/1"]
    assert all(row["spectrum"].startswith("two.prj [") for row in rows)
    moved = asker.ask(content, "two.prj", Wishes(shift=1.0))
    assert len(moved) == 2 and all(one.answer.prepared.given_e0 for one in moved)
    (second,) = asker.ask(content, "two.prj", Wishes(shift=1.0), place=1)
    assert second is moved[1]
    with pytest.raises(XascoordError, match="not in the file"):
        asker.ask(content, "two.prj", Wishes(), place=2)


def test_real_files_are_answered_or_refused_in_words(asker, shared):
    folder = shared / "experimental/xasdatalibrary/Cu"
    if not folder.is_dir():
        pytest.skip("no measured spectra of Cu here")
    said = set()
    for file in sorted(folder.glob("*.xdi")):
        for row in callbacks.answer_file(asker, uploaded(file.read_bytes(), file.name))["rows"]:
            assert row["file"] == file.name and "unexpected" not in row["reason"]
            assert row["curve"] or row["reason"]
            said.add(bool(row["curve"]))
    assert True in said


# What is taken along


def some_rows(asker):
    good = callbacks.answer_file(asker, uploaded(copper(), NASTY))["rows"]
    return [*good, refused("=cmd|' /C calc'!A1.dat", "f1", "the file is empty")]


def test_csv_has_the_columns_of_the_command_line_and_no_formulas(asker):
    from xascoord.prediction.output import COLUMNS

    lines = list(csv.DictReader(io.StringIO(as_csv(some_rows(asker)))))
    assert tuple(lines[0]) == COLUMNS
    assert lines[0]["file"] == NASTY and lines[0]["answer"].startswith("CN_")
    assert lines[0]["coordination_number"] == "4" and lines[0]["kind"] == "oxygen compound"
    assert lines[0]["nearest_reference"]
    assert lines[1]["file"].startswith("'=") and lines[1]["abstains"] == "the file is empty"


def test_json_is_that_of_the_command_line(asker):
    found = json.loads(as_json(some_rows(asker)))
    assert found[0]["file"] == NASTY
    assert found[0]["coordination_number"] == 4 and found[1]["answer"] is None


def test_the_report_has_no_script_and_names_nothing_outside(asker):
    seen = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, _: seen.append(tag)
    text = html_report(some_rows(asker))
    parser.feed(text)
    assert "svg" in seen and not {"script", "link", "img", "iframe"} & set(seen)
    assert not re.search(r"(src|href)=[\"']?http", text)
    assert "&lt;script&gt;" in text and text.count("<section") == 2
    assert "In 90 % of such cases" in text and "Nearest measured references: " in text
    assert text.count("each asked without itself") == 1  # of the one that is answered
    with pytest.raises(KeyError):
        callbacks.export("to-anything", [])


def test_a_series_goes_by_order_or_by_number():
    rows = [{"file": f"scan_{t}K.xdi", "spectrum": "s", "numbers": {"4": 0.7, "6": 0.3}}
            for t in (300, 20.5, 100)]  # fmt: skip
    rows.append({"file": "bad.dat", "spectrum": "b", "numbers": {}})
    assert places_of(rows, "order") == [1, 2, 3, 4]
    assert places_of(rows, "number") == [300, 20.5, 100, 4]
    four, six = series_figure(rows, "number")["data"]
    assert four["x"] == [4, 20.5, 100, 300] and four["y"][0] is None
    assert six["name"] == "6 neighbours"


# Crystals and models


@pytest.fixture(scope="module")
def crystals():
    return Crystals(ROOT / "data/crystals/plan")


def test_a_crystal_is_found_with_its_shell_and_its_mineral(crystals):
    site = crystals.site("embedded:feff10/amcsd-6568/Ti/12", 4)
    assert (site.mineral, site.code, site.index) == ("Ulvospinel", "6568", 12)
    assert site.link == "https://rruff.geo.arizona.edu/AMS/minerals/Ulvospinel"
    assert site.species[0] == "Ti" and len(site.shell) == 4
    assert {site.species[i] for i in site.shell} == {"O"}
    lengths = np.linalg.norm(site.positions[list(site.shell)], axis=1)
    assert lengths.max() < 2.2 and np.ptp(lengths) < 0.02
    figure = crystal_figure(site)
    assert {trace["type"] for trace in figure["data"]} == {"scatter3d", "mesh3d"}
    assert "4 neighbours" in alt_crystal(site)


@pytest.mark.parametrize("name", ["s3", "x:y/nothing/Fe/0", "x:y/amcsd-6568/Au/0", "", "a/b/c/d"])
def test_where_no_structure_is_known_it_says_so(crystals, name):
    assert crystals.site(name, 4) is None
    assert "No structure" in alt_crystal(None)


def test_without_the_table_no_structure_is_known(tmp_path):
    assert Crystals(tmp_path).site("embedded:feff10/amcsd-6568/Ti/12", 4) is None


def test_every_planned_crystal_can_be_drawn(crystals):
    for material, rows in crystals._sites.items():
        for row in rows:
            site = crystals.site(f"x:y/{material}/{row['element']}/{row['site_index']}",
                                 int(row["coordination"]))  # fmt: skip
            if site is not None:
                assert len(site.shell) == int(row["coordination"])
                json.dumps(crystal_figure(site), allow_nan=False)
                assert re.fullmatch(r"(https://rruff[\w./%()-]+)?", site.link)


def test_the_table_of_elements_has_buttons_for_what_is_known(asker):
    table = periodic_table(asker.predictor("forest"), "Cu")
    buttons = [c for c in table.children[0].children if type(c).__name__ == "Button"]
    assert [b.id["symbol"] for b in buttons] == ["Cu"]
    assert len(table.children[0].children) == 118
    said = text_of(element_card(asker.predictor("forest"), "Cu"))
    assert "Models of Cu" in said and "Origin: here (these answer)" in said
    assert "## Measured spectra" in said and "'xascoord validate' counts" in said
    assert "There are no models of Fe" in text_of(element_card(asker.predictor("forest"), "Fe"))


def test_text_of_files_is_text_not_markup(asker):
    answer = asker.ask(copper(), NASTY, Wishes())[0].answer
    assert NASTY in text_of(answer_panel(answer, NASTY))


# The server


def test_the_server_fetches_nothing_and_answers_this_machine_only(bundles):
    client = make_app(bundles).server.test_client()
    page = client.get("/", base_url="http://127.0.0.1:8050")
    assert (
        page.status_code == 200
        and "default-src 'self'" in (page.headers["Content-Security-Policy"])
    )
    assert not re.search(r"(src|href)=[\"']?(https?:)?//", page.text)
    assert client.get("/", base_url="http://evil.example:8050").status_code == 400
    away = make_app(bundles, local=False).server.test_client()
    assert away.get("/", base_url="http://beamline:8050").status_code == 200


@pytest.mark.slow
def test_the_first_request_may_come_while_libraries_load(bundles):
    code = (
        "import sys; from xascoord.web.server import make_app; from pathlib import Path\n"
        "client = make_app(Path(sys.argv[1])).server.test_client()\n"
        "for _ in range(20):\n"
        "    assert client.get('/_dash-layout', base_url='http://127.0.0.1').status_code == 200"
    )
    subprocess.run([sys.executable, "-c", code, bundles], check=True, timeout=120)


def test_a_request_that_is_too_large_is_refused(bundles):
    client = make_app(bundles, limits=Limits(file_bytes=1000)).server.test_client()
    found = client.post("/_dash-update-component", data=b"x" * 30_000_000,
                        content_type="application/json",
                        base_url="http://127.0.0.1:8050")  # fmt: skip
    assert found.status_code in (400, 413)


def test_no_models_are_said_at_once(tmp_path):
    found = subprocess.run(
        [sys.executable, "-m", "xascoord", "serve", "--models", tmp_path, "--no-browser"],
        capture_output=True, text=True, timeout=60, cwd=tmp_path,
    )  # fmt: skip
    assert found.returncode == 2 and found.stderr.count("\n") == 1
    assert "no models of forest" in found.stderr


@pytest.mark.slow
def test_a_port_that_is_taken_is_said(bundles):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        found = subprocess.run(
            [sys.executable, "-m", "xascoord", "serve", "--models", bundles, "--no-browser",
             "--port", port], capture_output=True, text=True, timeout=60,
        )  # fmt: skip
    assert found.returncode == 2 and found.stderr.count("\n") == 1
    assert f"--port {port}: cannot be listened at" in found.stderr


# In a browser

browser_only = [pytest.mark.web, pytest.mark.slow,
                pytest.mark.skipif(chromium() is None, reason="no Chromium here")]  # fmt: skip


@pytest.fixture(scope="module")
def address(bundles):
    with running(make_app(bundles, crystals=ROOT / "data/crystals/plan")) as found:
        yield found


@pytest.fixture(scope="module")
def browser():
    pytest.importorskip("playwright", reason="needs playwright")
    with browsing() as found:
        yield found


@pytest.fixture
def page(browser, address):
    """A tab whose scripts must not fail, and which must ask nobody else."""
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    tab = context.new_page()
    faults, asked = [], []
    tab.on("pageerror", lambda error: faults.append(str(error)))
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(address)
    tab.wait_for_selector("#upload button")
    yield tab
    context.close()
    assert not faults
    assert not [url for url in asked if not url.startswith((address, "data:", "blob:"))]


def payload(name, content):
    return {"name": name, "mimeType": "text/plain", "buffer": content}


class TestInABrowser:
    pytestmark = browser_only

    def test_a_good_file_then_a_bad_one(self, page):
        put(page, payload("good.dat", copper()))
        page.wait_for_selector("#answer .bars", timeout=60_000)
        assert page.inner_text("#answer h2").startswith("Four neighbours")
        assert "(square co-planar" in page.inner_text("#answer h2")
        page.wait_for_selector("#mu .main-svg")
        assert "e0 at" in page.get_attribute("#mu-box", "aria-label")
        put(page, payload("bad.dat", b"this is no spectrum\n"))
        page.wait_for_selector("#answer .no")
        assert "bad.dat" in page.inner_text("#answer")
        assert wait_for_answers(page, 2).endswith("1 answered, 1 refused.")
        put(page, payload("again.dat", copper(1)))  # the page lives on
        page.wait_for_selector("#answer .bars")
        assert page.inner_text("#answer h2").startswith("Six neighbours")
        assert "(octahedral" in page.inner_text("#answer h2")

    def test_references_stand_beside_computed_spectra_and_clear_clears(self, page):
        put(page, payload("good.dat", copper()))
        page.wait_for_selector("#references .scatterlayer .trace", timeout=60_000)
        assert "Nearest measured references" in page.inner_text("#references-facts")
        for wide in (1280, 390):  # a bar has room beside its words
            page.set_viewport_size({"width": wide, "height": 800})
            assert page.evaluate("document.querySelector('.track').offsetWidth") > 60
        page.click("#clear")
        page.wait_for_selector("#answer h2:has-text('Drop a spectrum')")
        assert not page.query_selector("#answer .no") and page.is_hidden("#pictures")

    def test_dropping_with_the_mouse(self, page):
        drop = page.evaluate_handle(
            "text => {const d = new DataTransfer(); d.items.add(new File([text], 'drop.dat'));"
            "return d;}", copper().decode(),
        )  # fmt: skip
        page.dispatch_event("#upload button", "drop", {"dataTransfer": drop})
        page.wait_for_selector("#answer .bars", timeout=30_000)
        assert "drop.dat" in page.inner_text("#answer .of")

    def test_the_slider_by_keyboard_within_half_a_second(self, page):
        put(page, payload("good.dat", copper()))
        page.wait_for_selector("#answer .bars", timeout=30_000)
        page.wait_for_timeout(1500)
        page.focus("[role=slider]")
        page.keyboard.press("ArrowRight")
        page.wait_for_selector("text=e0 set by hand", timeout=10_000)
        took = []
        for _ in range(3):
            before = page.inner_text("#answer .of")
            page.keyboard.press("ArrowRight")
            took.append(page.evaluate(
                "before => new Promise(done => {const start = performance.now(); const look = () =>"
                " document.querySelector('#answer .of').innerText !== before ?"
                " done(performance.now() - start) : setTimeout(look, 5); look();})", before,
            ))  # fmt: skip
        assert min(took) < 500, took

    def test_a_folder_of_thirty_and_what_is_taken_along(self, page, tmp_path):
        files = []
        for i in range(30):
            files.append(tmp_path / f"scan_{i:02}.dat")
            files[-1].write_bytes(copper(i % 2, i) if i != 7 else b"broken\n")
        other = tmp_path / "notes.docx"
        other.write_bytes(b"PK")
        page.set_input_files("#folder input", str(tmp_path))
        assert "29 answered, 1 refused" in wait_for_answers(page, 30, 120)
        assert "notes.docx" in page.inner_text("#refused")
        page.wait_for_selector(".ag-row img[alt*='scan_00']")
        with page.expect_download() as found:
            page.click("#to-csv")
        table = Path(found.value.path()).read_text(encoding="utf-8")
        lines = list(csv.DictReader(io.StringIO(table)))
        assert [line["file"] for line in lines] == [file.name for file in files]
        with page.expect_download() as found:
            page.click("#to-json")
        assert len(json.loads(Path(found.value.path()).read_text(encoding="utf-8"))) == 30
        with page.expect_download() as found:
            page.click("#to-report")
        assert Path(found.value.path()).read_text(encoding="utf-8").count("<section") == 30
        page.click("#series-details summary")
        page.wait_for_selector("#series .scatterlayer .trace")
        page.click(".ag-row[row-index='1'] [col-id='spectrum']")
        page.wait_for_function(
            "document.querySelector('#answer .of').innerText.includes('scan_01')"
        )

    def test_tabs_know_nothing_of_each_other(self, browser, address, page):
        put(page, payload("mine.dat", copper()))
        wait_for_answers(page, 1)
        tabs = [page.context.new_page() for _ in range(3)]
        for number, tab in enumerate(tabs):
            tab.goto(address)
            tab.wait_for_selector("#upload button")
            assert "mine.dat" not in tab.inner_text("body")
            put(tab, *(payload(f"tab{number}_{i}.dat", copper(1, i)) for i in range(4)))
        for number, tab in enumerate(tabs):
            wait_for_answers(tab, 4)
            tab.wait_for_selector(f"#grid :text('tab{number}_3.dat')")
            assert not re.search(rf"tab[^{number}]_|mine", tab.inner_text("#grid"))
        assert wait_for_answers(page, 1).startswith("1 file")

    def test_two_hundred_megabytes(self, page, tmp_path):
        large = tmp_path / "large.dat"
        with large.open("wb") as handle:
            handle.truncate(200_000_000)
        put(page, large)
        page.wait_for_selector("#refused:has-text('large.dat')")
        assert "200 MB are more than the 50 MB" in page.inner_text("#refused")
        put(page, payload("good.dat", copper()))
        page.wait_for_selector("#answer .bars", timeout=30_000)
        assert page.inner_text("#refused") == ""

    def test_a_name_that_is_a_script(self, page):
        put(page, payload(NASTY, copper()))
        page.wait_for_selector("#answer .bars", timeout=30_000)
        assert NASTY in page.inner_text("#answer")
        put(page, payload("<img src=x onerror=alert(1)>.dat", b"x"))
        page.wait_for_selector("#answer .no")
        page.wait_for_selector("#grid :text('<img src=x')")
        assert page.title() == "xascoord"
        assert not page.query_selector_all("#answer script, #grid script, img[onerror]")

    def test_what_the_models_are(self, page):
        page.click("#to-models")
        page.get_by_role("button", name="Cu:").click(timeout=30_000)
        page.wait_for_selector("#card h3:has-text('Models of Cu')")
        assert "Cross-validation" in page.text_content("#card")

    def test_on_a_small_screen_nothing_is_wider_than_the_page(self, page):
        put(page, payload("good.dat", copper()))
        page.wait_for_selector("#answer .bars", timeout=30_000)
        for size in ((1280, 720), (1024, 768), (768, 1024), (390, 800)):
            page.set_viewport_size(dict(zip(("width", "height"), size)))
            page.wait_for_timeout(300)
            wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            assert wide <= 0, size

    def test_a_server_that_is_gone_is_said(self, bundles, browser):
        tab = browser.new_page()
        with running(make_app(bundles)) as address:
            tab.goto(address)
            tab.wait_for_selector("[role=slider]")
        put(tab, payload("good.dat", copper()))
        tab.wait_for_selector("#fault:has-text('does not answer')")
        tab.close()

    def test_a_server_fault_is_a_sentence(self, page, monkeypatch):
        def broken(*_):
            raise ZeroDivisionError("for a test")

        monkeypatch.setattr(callbacks, "series_figure", broken)
        put(page, payload("good.dat", copper()))
        page.wait_for_selector("#fault:has-text('Something unexpected')", timeout=30_000)
        page.wait_for_selector("#answer .bars")
