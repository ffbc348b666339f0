"""Words for people who look at a page, not at a command line."""

from __future__ import annotations

import re

from xascoord.core.text import printable
from xascoord.measured.columns import REMEDY

_LONGEST_NAME = 200
_RENAME = "name them in a last comment line of the file, e.g. '# energy i0 itrans'"
_OPTIONS = {
    "element": "Element",
    "e0": "Energy zero",
    "channel": "Channel",
    "deglitch": "Take glitches out",
    "classifier": "Classifier",
}


def shown_name(name: object) -> str:
    """The name of a file fit to be shown: no hidden characters, not endless.

    Parameters
    ----------
    name
        As the browser says it; of a folder with the path in it.
    """
    text = printable(str(name).strip()) or "unnamed"
    return text if len(text) <= _LONGEST_NAME else f"{text[:_LONGEST_NAME]}…"


def plain(message: str) -> str:
    """A message of the command line with the fields of the page instead of options.

    Parameters
    ----------
    message
        Of an error, a warning or a note.
    """
    # The page has no fields for columns: there the names in the file have to say it.
    message = message.replace(REMEDY, _RENAME).replace(" (else --energy-column)", "")
    message = re.sub(r" Else name (?:it|columns) with --[\w-]+(?:(?:,| or) --\w+)*", "", message)
    found = re.sub(
        r"--(\w+)",
        lambda match: f"‘{_OPTIONS[match[1]]}’" if match[1] in _OPTIONS else match[0],
        message,
    )
    found = found.replace("limits.file_bytes", "the limit of the page")
    return printable(found)


def sentence(message: str) -> str:
    """The same as one sentence: a capital first, a full stop last."""
    text = plain(message).strip()
    if not text:
        return ""
    # An element or a unit keeps its case: only a word of small letters gets a capital.
    if re.match(r"[a-z]{2,}\b", text):
        text = text[0].upper() + text[1:]
    return text if text[-1] in ".!?…" else f"{text}."


def unexpected(error: BaseException) -> str:
    """What is said of a fault of ours."""
    what = printable(f"{type(error).__name__}: {error}".replace("\n", " "))[:200]
    return f"Something unexpected went wrong ({what}); the page goes on, please report it."


def per_cent(share: float) -> str:
    """A probability for people."""
    return "<1 %" if 0 < share < 0.005 else f"{100 * share:.0f} %"
