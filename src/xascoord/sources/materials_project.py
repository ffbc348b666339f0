"""Oxides and their K-edge XANES from the Materials Project, through its own client.

Downloads go to one journal an element (``data/raw/materials_project/<El>.jsonl``), batch by
batch, so a killed download goes on where it ended. The public API serves element-wise averaged
spectra; each is stored with the structure of its own document.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from xascoord.core.errors import SourceError
from xascoord.core.rejections import Reason, RejectedSpectrum, Rejection, one_document
from xascoord.jobs.journal import Journal
from xascoord.settings.sources import MaterialsProject
from xascoord.settings.tree import Settings
from xascoord.sources.account import opening
from xascoord.sources.collect import Spectrum
from xascoord.sources.xas_document import parse_document
from xascoord.structures.identifiers import normalise_material_id

NAME = "materials_project"
_KEY_LENGTH = 32
_LIST = "#list"  # key of the journal line that holds no spectrum
_LIST_FIELDS = ["task_id", "elements"]
_log = logging.getLogger(__name__)
T = TypeVar("T")


def api_key() -> str:
    """The key in the environment variable ``MP_API_KEY``.

    Raises
    ------
    SourceError
        If there is none or it cannot be one. The key itself is never printed.
    """
    key = os.environ.get("MP_API_KEY", "").strip()
    if not key:
        raise SourceError(
            "MP_API_KEY is not set: get a key on the Materials Project's dashboard and "
            "'export MP_API_KEY=...' (never write it into params.yaml)"
        )
    if len(key) != _KEY_LENGTH:
        raise SourceError(f"MP_API_KEY has {len(key)} characters, keys have {_KEY_LENGTH}")
    return key


class _Empty(Exception):
    """An answer without what was asked for."""


def with_retries(call: Callable[[], T], settings: MaterialsProject, what: str) -> T:
    """Call until it answers: the client itself retries only 429, 502 and 504.

    Survives 500 and 503, dropped connections, time-outs and empty pages, waiting twice as long
    each time (with jitter); a refusal (400, 401, 403, 404) is final at once.

    Raises
    ------
    SourceError
        When the tries are used up or the server refuses.
    """
    from tenacity import RetryError, Retrying, retry_if_exception, stop_after_attempt
    from tenacity import wait_exponential_jitter as jittered

    def note(state: Any) -> None:
        _log.warning("%s: %s; trying again", what, _clean(state.outcome.exception()))

    tries = Retrying(
        stop=stop_after_attempt(settings.retries + 1),
        wait=jittered(initial=min(1.0, settings.max_wait), max=settings.max_wait),
        retry=retry_if_exception(_is_transient),
        before_sleep=note,
    )
    try:
        return tries(call)
    except RetryError as error:
        raise SourceError(
            f"Materials Project: {what} failed {settings.retries + 1} times, last: "
            f"{_clean(error.last_attempt.exception())}; what is complete is kept, "
            "run again to go on"
        ) from None
    except Exception as error:
        if not _is_refusal(error):
            raise
        raise SourceError(f"Materials Project refuses {what}: {_clean(error)}") from None


def _clean(error: BaseException | None) -> str:
    """An error's text, short and without the key."""
    return str(error).replace(os.environ.get("MP_API_KEY", "") or "\0", "(key)")[:300]


def _is_refusal(error: BaseException) -> bool:
    from mp_api.client.core import MPRestError

    final = ("status code 40", "does not support the request", "invalid fields", "API key")
    return isinstance(error, MPRestError) and any(word in str(error) for word in final)


def _is_transient(error: BaseException) -> bool:
    """Faults worth another try; ValueError is an answer that is no JSON."""
    import requests
    from mp_api.client.core import MPRestError

    kinds = (MPRestError, requests.RequestException, ConnectionError, _Empty, ValueError, KeyError)
    return isinstance(error, kinds) and not _is_refusal(error)


def download_element(element: str, settings: Settings, journals: Path) -> Iterator[tuple[int, int]]:
    """Fetch the spectra of one element into its journal.

    Yields
    ------
    done, total
        After each batch.
    """
    from mp_api.client import MPRester

    options = settings.materials_project
    key = api_key()

    def connect() -> Any:
        return MPRester(
            key, endpoint=options.endpoint, use_document_model=False, mute_progress_bars=True
        )

    client = with_retries(connect, options, "connecting")
    with client, Journal(journals / f"{element}.jsonl") as journal:
        version = str(client.db_version)
        wanted = list_spectra(client, element, settings)
        # What this run is about; documents of earlier runs that are not wanted stay unread.
        journal.add(_LIST, tasks=wanted, version=version)
        todo = [task for task in wanted if task not in journal]
        yield len(wanted) - len(todo), len(wanted)
        for start in range(0, len(todo), options.batch_size):
            batch = todo[start : start + options.batch_size]
            found = fetch_batch(client, element, batch, options)
            journal.extend(
                {"key": task, "document": found[task], "version": version} for task in batch
            )
            yield len(wanted) - len(todo) + start + len(batch), len(wanted)


def list_spectra(client: Any, element: str, settings: Settings) -> list[str]:
    """Identifiers of all K-edge XANES of an element, in the server's own form.

    Of oxides only, unless ``quality.oxides_only`` is off.
    """
    options = settings.materials_project
    search = {"absorbing_element": element, "edge": "K", "spectrum_type": "XANES"}

    def ask() -> list[dict[str, Any]]:
        found = client.materials.xas.search(**search, fields=_LIST_FIELDS)
        # The client takes an empty page for the end; only the count tells them apart.
        count = client.materials.xas.count({**search, "_fields": "task_id"})
        if len(found) < count:
            raise _Empty(f"{len(found)} of {count} spectra are in the list")
        return found

    documents = with_retries(ask, options, f"list of {element} spectra")
    if settings.quality.oxides_only:
        documents = [d for d in documents if "O" in [str(e) for e in d.get("elements") or ["O"]]]
    tasks = sorted({_identifier(d["task_id"]) for d in documents})
    return tasks[: options.max_spectra]


def _identifier(value: Any) -> str:
    """Identifiers come as text or as an object with a ``string``."""
    return str(getattr(value, "string", value))


def fetch_batch(
    client: Any, element: str, batch: Sequence[str], options: MaterialsProject
) -> dict[str, Any]:
    """Whole documents of some spectra; an answer that lacks one is asked for again."""

    def ask() -> dict[str, Any]:
        documents = client.materials.xas.search(
            absorbing_element=element, edge="K", spectrum_type="XANES", task_ids=list(batch)
        )
        found = {normalise_material_id(_identifier(d["task_id"])): d for d in documents}
        lacking = [task for task in batch if normalise_material_id(task) not in found]
        if lacking:
            raise _Empty(f"{len(lacking)} of {len(batch)} documents are not in the answer")
        return {task: _plain(found[normalise_material_id(task)]) for task in batch}

    return with_retries(ask, options, f"{len(batch)} {element} spectra from {batch[0]}")


def _plain(document: Any) -> Any:
    """A document as plain JSON: the client leaves dates, enums and arrays as objects."""
    import json

    from monty.json import MontyEncoder

    return json.loads(json.dumps(document, cls=MontyEncoder))


def read_downloads(
    settings: Settings, journals: Path
) -> Iterator[tuple[Spectrum | Rejection, dict[str, Any] | None]]:
    """All downloaded spectra, checked; one spectrum or rejection for each document."""
    for element in settings.elements:
        with Journal(journals / f"{element}.jsonl") as journal:
            for entry in opening(_wanted(journal)):
                try:
                    with one_document():
                        found = parse_document(entry["document"], NAME, settings)
                except RejectedSpectrum as error:
                    yield Rejection(entry["key"], error.reason, error.detail, element), None
                    continue
                yield found
            for task in opening(sorted(set(_listed(journal)) - journal.keys)):
                detail = "listed but not downloaded yet; run the download to its end"
                yield Rejection(task, Reason.EMPTY, detail, element, "averaged"), None


def _listed(journal: Journal) -> list[str]:
    return [task for entry in journal.entries([_LIST]) for task in entry["tasks"]]


def _wanted(journal: Journal) -> Iterator[dict[str, Any]]:
    """Documents of the last list of spectra."""
    return journal.entries(_listed(journal))


def database_versions(settings: Settings, journals: Path) -> dict[str, list[str]]:
    """Versions of the database that the documents of each element were fetched from."""
    versions = {}
    for element in settings.elements:
        with Journal(journals / f"{element}.jsonl") as journal:
            versions[element] = sorted(
                {entry.get("version", "unknown") for entry in _wanted(journal)}
            )
    return versions
