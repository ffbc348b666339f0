"""Documents of a JSON file cut out one by one, each no larger and no deeper than allowed.

Only brackets, commas and strings are looked at: a document is parsed by itself, so that what is
wrong with one costs no other, and no memory is taken for what is not wanted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import IO, Any

from xascoord.core.rejections import Reason, RejectedSpectrum
from xascoord.settings.limits import Limits

_BLOCK = 1 << 18
_KEPT = 200  # bytes of what is no document
_OUTSIDE = re.compile(rb'["\[\]{},]')
_DEEP = re.compile(rb'["\[\]{}]')  # commas matter between documents only
_INSIDE = re.compile(rb'["\\]')
# A string to its end, or to the end of the text: without the latter, an unterminated one would be
# tried again from each quotation mark in it.
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)


def parse_json(data: bytes, limits: Limits) -> Any:
    """A document, no deeper than allowed.

    Raises
    ------
    RejectedSpectrum
        If it is not UTF-8, no JSON, or nested too deep.
    """
    depth = 0
    for token in _TOKEN.finditer(data):
        if token[0] in (b"[", b"{"):
            depth += 1
            if depth > limits.nesting:
                raise too_deep(limits)
        elif token[0] in (b"]", b"}"):
            depth -= 1
    try:
        return json.loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise RejectedSpectrum(Reason.NOT_UTF8, f"byte {error.start} is not UTF-8") from None
    except ValueError as error:
        raise RejectedSpectrum(Reason.UNREADABLE, f"not JSON: {error}"[:120]) from None


def too_deep(limits: Limits) -> RejectedSpectrum:
    """The rejection of what is nested too deep."""
    detail = f"nested too deep; limits.nesting allows {limits.nesting}"
    return RejectedSpectrum(Reason.BEYOND_LIMIT, detail)


def too_large(limits: Limits) -> RejectedSpectrum:
    """The rejection of a document that is too large."""
    detail = f"larger than limits.document_bytes allows ({limits.document_bytes:,} bytes)"
    return RejectedSpectrum(Reason.BEYOND_LIMIT, detail)


Part = tuple[bytes, RejectedSpectrum | None]


def parts(handle: IO[bytes], limits: Limits, inside: str = "") -> Iterator[Part]:
    """Parts of the list or object that a file holds: elements, or ``"key": value``.

    Parameters
    ----------
    handle
        Open at the beginning.
    limits
        Bytes and nesting of a part.
    inside
        Name of a list in the object: its elements instead.

    Yields
    ------
    bytes, RejectedSpectrum or None
        A part, or its beginning and why it is none; last, why the file does not end well.
    """
    splitter = _Splitter(limits, inside)
    while block := handle.read(_BLOCK):
        yield from splitter.feed(block)
        if splitter.ended and splitter.rest.strip():
            yield b"", RejectedSpectrum(Reason.UNREADABLE, "not JSON: more behind its end")
            return
    if not splitter.ended:
        yield bytes(splitter.data), RejectedSpectrum(Reason.TRUNCATED, "ends before its end")


class _Splitter:
    """Where in a file one is, and what has been read of a part."""

    def __init__(self, limits: Limits, inside: str) -> None:
        self.limits = limits
        self.inside = inside.encode()
        self.level = 1  # of the brackets about the parts
        self.depth = 0
        self.in_string = False
        self.escaped = 0  # first bytes of the next block that a backslash at its end escapes
        self.ended = False
        self.rest = b""
        self.begin()

    def begin(self) -> None:
        """A new part."""
        self.data = bytearray()
        self.fault: RejectedSpectrum | None = None

    def feed(self, block: bytes) -> Iterator[Part]:
        """Parts that end in a block."""
        start, place = 0, self.escaped
        while not self.ended:
            near = self.depth <= self.level
            wanted = _INSIDE if self.in_string else _OUTSIDE if near else _DEEP
            found = wanted.search(block, place)
            if found is None:
                break
            place, token = found.end(), found[0]
            if token == b"\\":
                place += 1
            elif token == b'"':
                self.in_string = not self.in_string
            elif token in (b"[", b"{"):
                if self._opens(token, block[start : place - 1]):
                    start = place
            elif self.depth == self.level:
                self._add(block[start : place - 1])
                if self._is_part(token):
                    yield bytes(self.data), self.fault
                self._closes(token)
                start = place
            else:
                self.depth -= 1
        self.escaped = max(0, place - len(block))
        if self.ended:
            self.rest += block[start:]
        elif self.depth:
            self._add(block[start:])

    def _opens(self, token: bytes, before: bytes) -> bool:
        """Whether parts begin behind this bracket."""
        self.depth += 1
        if self.depth == 2 and self.level == 1 and self.inside and token == b"[":
            key = bytes(self.data + before).split(b":")[0].strip()
            self.level += key == b'"' + self.inside + b'"'
        if self.depth == self.level:
            self.begin()
            return True
        if self.depth > self.level + self.limits.nesting:
            self._refuse(too_deep(self.limits))
        return False

    def _is_part(self, token: bytes) -> bool:
        """Whether what ends here is wanted; before a closing bracket there may be nothing."""
        wanted = not self.inside or self.level == 2
        return wanted and (token == b"," or bool(self.data.strip()))

    def _closes(self, token: bytes) -> None:
        self.begin()
        if token == b",":
            return
        self.depth -= 1
        self.level = 1
        self.ended = self.depth == 0

    def _add(self, block: bytes) -> None:
        if self.fault is None and len(self.data) + len(block) > self.limits.document_bytes:
            self.data += block[: self.limits.document_bytes]
            self._refuse(too_large(self.limits))
        if self.fault is None:
            self.data += block

    def _refuse(self, fault: RejectedSpectrum) -> None:
        """Keep why it is no part, and its beginning: its name may stand there."""
        if self.fault is None:
            self.fault = fault
            del self.data[_KEPT:]
