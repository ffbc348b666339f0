"""A loopback server that speaks the Materials Project's XAS routes, faults included."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from conftest import rutile, xas_dictionary
from corrupt import TI

KEY = "0123456789abcdef0123456789abcdef"


def titanium_documents(count: int = 7) -> list[dict[str, Any]]:
    """Oxides of titanium, and three documents that are none or of another kind."""
    documents = []
    for number in range(count):
        task = f"mp-{100 + number}"
        documents.append({
            "task_id": task, "spectrum_id": f"{task}-XANES-Ti-K", "absorbing_element": "Ti",
            "edge": "K", "spectrum_type": "XANES", "elements": ["Ti", "O"],
            "spectrum": xas_dictionary(rutile(), None, "Ti", TI + 0.01 * number),
        })  # fmt: skip
    nitride = {**documents[0], "task_id": "mp-9000", "elements": ["N", "Ti"]}
    exafs = {**documents[0], "task_id": "mp-9001", "spectrum_type": "EXAFS"}
    iron = {**documents[0], "task_id": "mp-9002", "absorbing_element": "Fe"}
    return [*documents, nitride, exafs, iron]


class MaterialsProjectServer:
    """Serves documents; ``faults`` maps the number of a search (from 0) to what goes wrong."""

    def __init__(
        self, documents: list[dict[str, Any]], faults: dict[int, str] | None = None
    ) -> None:
        self.documents = documents
        self.faults = faults or {}
        self.searches: list[dict[str, str]] = []
        self.keys: set[str] = set()
        self._lock = threading.Lock()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._http.handle_error = lambda *_: None  # type: ignore[method-assign]  # killed clients
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}/"

    def served(self) -> list[str]:
        """Every spectrum that was sent with its document, in order."""
        return [
            task
            for query in self.searches
            if query.get("sent")
            for task in query["sent"].split(",")
        ]

    def close(self) -> None:
        self._http.shutdown()

    def answer(self, query: dict[str, str]) -> dict[str, Any]:
        wanted = set(query["task_ids"].split(",")) if "task_ids" in query else None
        hits = [
            d
            for d in self.documents
            if d["absorbing_element"] == query.get("absorbing_element")
            and d["edge"] == query.get("edge")
            and d["spectrum_type"] == query.get("spectrum_type")
            and (wanted is None or d["task_id"] in wanted)
        ]
        limit = int(query.get("_limit", query.get("_per_page", 100)))
        skip = int(query.get("_skip", 0)) or (int(query.get("_page", 1)) - 1) * limit
        page = hits[skip : skip + limit]
        if query.get("_all_fields") != "true" and query.get("_fields"):
            fields = query["_fields"].split(",")
            page = [{f: d[f] for f in fields if f in d} for d in page]
        elif page:
            query["sent"] = ",".join(d["task_id"] for d in page)
        meta = {"api_version": "1", "time_stamp": "now", "total_doc": len(hits), "max_limit": 1000}
        return {"data": page, "meta": meta}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                pass

            def do_GET(self) -> None:
                url = urlsplit(self.path)
                query = {k: v[0] for k, v in parse_qs(url.query).items()}
                if url.path.rstrip("/").endswith("heartbeat"):
                    beat = {"status": "OK", "version": "1", "db_version": "2026.10.01",
                            "access_controlled_batch_ids": []}  # fmt: skip
                    self._send(200, beat)
                elif url.path.rstrip("/") == "/materials/xas":
                    server.keys.add(self.headers.get("x-api-key", ""))
                    with server._lock:
                        fault = server.faults.get(len(server.searches))
                        server.searches.append(query)
                    self._fail(fault, query) if fault else self._send(200, server.answer(query))
                else:
                    self._send(404, {"detail": "no such route"})

            def _fail(self, fault: str, query: dict[str, str]) -> None:
                if fault == "dropped":
                    self.close_connection = True
                    self.connection.close()
                elif fault == "empty page":
                    meta = {"api_version": "1", "time_stamp": "now", "total_doc": 0, "max_limit": 9}
                    self._send(200, {"data": [], "meta": meta})
                elif fault == "torn":
                    self._send(200, None, raw=b'{"data": [{"task')
                else:
                    self._send(int(fault), {"detail": f"error {fault}"})

            def _send(self, code: int, content: Any, raw: bytes | None = None) -> None:
                body = raw if raw is not None else json.dumps(content).encode()
                self.send_response(code)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        return Handler
