"""A Chromium to drive, where there is one, and a page that runs in a thread for it."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")
# Without a sandbox only as root, who cannot have one; a graphics card is not needed.
FLAGS = ("--enable-unsafe-swiftshader", *(("--no-sandbox",) if os.geteuid() == 0 else ()))


def chromium() -> str | None:
    """Path of a Chromium, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def running(app: Any) -> Iterator[str]:
    """The address of an application that runs in a thread."""
    from werkzeug.serving import make_server

    server = make_server("127.0.0.1", 0, app.server, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


@contextmanager
def browsing() -> Iterator[Any]:
    """A browser without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


def put(page: Any, *files: Path | dict[str, Any]) -> None:
    """Choose files as a person does with the button."""
    page.set_input_files("#upload input", [f if isinstance(f, dict) else str(f) for f in files])


def wait_for_answers(page: Any, count: int, seconds: float = 60) -> str:
    """Wait until that many files are done with; what the page then says of them."""
    page.wait_for_function(
        "n => document.querySelector('#status').innerText.match(new RegExp(`^${n} files?, `))",
        arg=count, timeout=1000 * seconds,
    )  # fmt: skip
    return str(page.inner_text("#status"))
