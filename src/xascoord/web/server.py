"""One process on this machine that shows the page, and nothing else."""

from __future__ import annotations

import logging
import socket
import threading
import webbrowser
from pathlib import Path
from typing import Any

from dash import Dash
from flask import Response, request
from werkzeug.serving import make_server

from xascoord.core.errors import XascoordError
from xascoord.settings.limits import DEFAULT_LIMITS, Limits
from xascoord.settings.models import Prediction
from xascoord.web.asking import Asker
from xascoord.web.callbacks import fault, register
from xascoord.web.crystals import PLAN, Crystals
from xascoord.web.layout import page

LOCAL = ("127.0.0.1", "localhost", "::1")
_ROOM = 1_000_000  # bytes of a request beside a file: fields, rows of the table
# The browser itself refuses to fetch anything from, or send anything to, anywhere else.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'; "
    "frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def make_app(
    bundles: Path | None = None,
    settings: Prediction | None = None,
    origin: str | None = None,
    limits: Limits = DEFAULT_LIMITS,
    crystals: Path = PLAN,
    local: bool = True,
) -> Dash:
    """The page as an application.

    Parameters
    ----------
    bundles, settings, origin, limits
        As for ``Predictor``.
    crystals
        Folder of the structures behind computed spectra.
    local
        Answer only where the browser says that it asks this very machine: a page from elsewhere
        that has taken another name for 127.0.0.1 gets nothing.

    Raises
    ------
    XascoordError
        If there are no models.
    """
    asker = Asker(bundles, settings or Prediction(), origin, limits)
    app = Dash(
        __name__,
        assets_folder=str(Path(__file__).parent / "assets"),
        title="xascoord",
        update_title="",
        serve_locally=True,
        on_error=fault,
        add_log_handler=False,
        meta_tags=[{"name": "viewport", "content": "width=device-width, initial-scale=1"}],
    )
    app.index_string = app.index_string.replace("<html>", '<html lang="en">')
    app.layout = page(asker.settings, limits, list(asker.classifiers))
    register(app, asker, Crystals(crystals))
    server: Any = app.server
    # base64 takes four bytes for three; what the table holds comes along with an export.
    server.config["MAX_CONTENT_LENGTH"] = limits.file_bytes * 4 // 3 + 20 * _ROOM
    if local:
        server.config["TRUSTED_HOSTS"] = ["127.0.0.1", "localhost", "[::1]"]

    @server.before_request
    def wait_for_imports() -> None:
        if request.path.startswith("/_dash-"):
            asker.ready.wait(60)

    @server.after_request
    def only_here(response: Response) -> Response:
        response.headers.update(_HEADERS)
        return response

    asker.warm_up()
    return app


def serve(
    bundles: Path | None,
    settings: Prediction,
    origin: str | None,
    limits: Limits,
    crystals: Path,
    host: str,
    port: int,
    browser: bool,
) -> None:
    """Show the page until it is interrupted.

    Parameters
    ----------
    bundles, settings, origin, limits, crystals
        As for ``make_app``.
    host, port
        To listen at; port 0: any that is free.
    browser
        Open one.

    Raises
    ------
    XascoordError
        If there are no models, or the port is taken.
    """
    app = make_app(bundles, settings, origin, limits, crystals, local=host in LOCAL)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    listening = _listen(host, port)
    server = make_server(host, port, app.server, threaded=True, fd=listening.fileno())
    port = listening.getsockname()[1]
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host
    address = f"http://{f'[{shown}]' if ':' in shown else shown}:{port}/"
    print(f"The page is at {address} (end it with Ctrl-C).", flush=True)
    if host not in LOCAL:
        print("Whoever reaches this machine by the network can use it.", flush=True)
    if browser:
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        print("Ended.")
    finally:
        server.server_close()
        listening.close()


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family)
    except OSError:
        raise XascoordError(
            f"--host {host} --port {port}: cannot be listened at; is it taken? Try another "
            "--port, or 0 for any that is free"
        ) from None
