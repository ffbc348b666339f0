"""How fast the page of 'xascoord serve' is, how much memory it takes, and its two pictures.

    .venv/bin/python benchmarks/web_page.py SPECTRUM [SPECTRUM ...] --models FOLDER

The first spectrum is timed and pictured; all of them go into ten tabs. Needs Chromium.
"""

from __future__ import annotations

import argparse
import contextlib
import re
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from browser import browsing, put, wait_for_answers  # noqa: E402

TABS = 10
SIZE = {"width": 1280, "height": 720}


@contextlib.contextmanager
def served(models: Path | None, crystals: Path | None) -> Iterator[tuple[str, int, float]]:
    """Address, process and seconds until the page was there."""
    command = [sys.executable, "-m", "xascoord", "serve", "--port", "0", "--no-browser"]
    if models is not None:
        command += ["--models", str(models)]
    if crystals is not None:
        command += ["--crystals", str(crystals)]
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            address = re.search(r"http://\S+", process.stdout.readline())
            if address is None:
                raise SystemExit("the page did not start")
            urllib.request.urlopen(address[0]).read()
            yield address[0], process.pid, time.perf_counter() - started
        finally:
            process.terminate()


def memory(pid: int) -> float:
    """Resident memory of a process in MB."""
    text = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", text)[1]) / 1000  # type: ignore[index]


def opened(browser: Any, address: str) -> Any:
    page = browser.new_page(viewport=SIZE)
    page.goto(address)
    page.wait_for_selector("#upload button")
    page.wait_for_selector("[role=slider]")
    return page


def drop_to_answer(page: Any, file: Path) -> float:
    """Seconds from a dropped file until its sentence stands on the page."""
    page.click("#clear")
    page.wait_for_function("!document.querySelector('#answer .bars')")
    started = time.perf_counter()
    put(page, file)
    page.wait_for_selector("#answer .bars", timeout=60_000)
    return time.perf_counter() - started


def slider_to_answer(page: Any, steps: int = 9) -> list[float]:
    """Seconds from a key on the slider until the answer has followed."""
    page.focus("[role=slider]")
    took = []
    for _ in range(steps):
        before = page.inner_text("#answer .of")
        started = time.perf_counter()
        page.keyboard.press("ArrowRight")
        page.wait_for_function(
            "old => document.querySelector('#answer .of').innerText !== old", arg=before,
            polling=10,
        )  # fmt: skip
        took.append(time.perf_counter() - started)
    return took


def pictures(browser: Any, address: str, file: Path, element: str, folder: Path) -> None:
    """The two pictures of the manual."""
    folder.mkdir(parents=True, exist_ok=True)
    page = opened(browser, address)
    page.set_viewport_size({"width": 1280, "height": 1000})
    put(page, file)
    page.wait_for_selector("#answer .bars", timeout=60_000)
    page.wait_for_selector("#crystal canvas", timeout=60_000)
    page.wait_for_timeout(2500)
    page.screenshot(path=folder / "web_answer.png")
    page.click("#to-models")
    page.get_by_role("button", name=f"{element}:").click(timeout=60_000)
    page.wait_for_selector("#card h3")
    page.wait_for_timeout(700)
    page.evaluate("window.scrollTo(0, 0)")
    page.screenshot(path=folder / "web_models.png")
    page.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("spectra", type=Path, nargs="+")
    parser.add_argument("--models", type=Path)
    parser.add_argument("--crystals", type=Path)
    parser.add_argument("--element", default="Fe", help="shown in the picture of the models")
    parser.add_argument("--images", type=Path, default=ROOT / "docs/images")
    given = parser.parse_args()
    begun = time.perf_counter()
    with served(given.models, given.crystals) as (address, pid, seconds), browsing() as browser:
        print(f"start-up until the page is sent: {seconds:.2f} s")
        page = opened(browser, address)
        print(f"until the page can be used: {time.perf_counter() - begun:.2f} s")
        time.sleep(5)  # what a person takes to find the file; libraries load meanwhile
        print(f"memory with one tab, nothing asked: {memory(pid):.0f} MB")
        print(f"drop to answer, the first: {drop_to_answer(page, given.spectra[0]):.2f} s")
        again = [drop_to_answer(page, one) for one in given.spectra[1:6]]
        if again:
            print(f"drop to answer, later: {statistics.median(again):.2f} s (median)")
        page.wait_for_timeout(1500)
        slid = slider_to_answer(page)
        print(f"slider to answer: {statistics.median(slid):.2f} s (longest {max(slid):.2f} s)")
        page.click("#clear")
        started = time.perf_counter()
        tabs = [page, *(opened(browser, address) for _ in range(TABS - 1))]
        for tab in tabs:
            put(tab, *given.spectra)
        said = [wait_for_answers(tab, len(given.spectra), 300) for tab in tabs]
        took = time.perf_counter() - started
        print(f"{TABS} tabs of {len(given.spectra)} files: {took:.0f} s; {said[-1]}")
        print(f"memory with {TABS} tabs: {memory(pid):.0f} MB")
        for tab in tabs:
            tab.close()
        pictures(browser, address, given.spectra[0], given.element, given.images)


if __name__ == "__main__":
    main()
