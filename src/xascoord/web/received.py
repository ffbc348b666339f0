"""What a browser sends, checked: none of it is trusted."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Mapping
from typing import Any

from xascoord.core.elements import ELEMENTS
from xascoord.core.errors import XascoordError
from xascoord.measured.read import CHANNELS
from xascoord.settings.limits import Limits
from xascoord.web.asking import Wishes


def content_of(upload: Any, limits: Limits) -> bytes:
    """The bytes of an uploaded file.

    Parameters
    ----------
    upload
        ``data:...;base64,...``.
    limits
        Most bytes of a file.

    Raises
    ------
    XascoordError
        If it is too large or did not come whole.
    """
    text = upload if isinstance(upload, str) else ""
    head, comma, body = text.partition(",")
    if not comma or not head.startswith("data:"):
        raise XascoordError("the file did not come whole; drop it again")
    if len(body) * 3 // 4 > limits.file_bytes + 3:
        raise XascoordError(
            f"{len(body) * 3 // 4 / 1e6:.0f} MB are more than the "
            f"{limits.file_bytes / 1e6:.0f} MB that are read of a file"
        )
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        raise XascoordError("the file did not come whole; drop it again") from None


def wishes_of(values: Mapping[str, Any], classifiers: list[str]) -> Wishes:
    """The fields of the page.

    Parameters
    ----------
    values
        By name: ``element, channel, deglitch, classifier, rate, e0, shift``.
    classifiers
        Those there are models of.

    Raises
    ------
    XascoordError
        Naming the field that has a value that it cannot have.
    """
    element, channel = values.get("element"), values.get("channel")
    classifier = values.get("classifier")
    if element not in (None, "auto", *ELEMENTS):
        raise XascoordError("‘Element’ must be one of the list")
    if channel not in CHANNELS:
        raise XascoordError("‘Channel’ must be one of the list")
    if classifier not in classifiers:
        raise XascoordError("‘Classifier’ must be one of the list")
    return Wishes(
        None if element in (None, "auto") else str(element),
        str(channel),
        bool(values.get("deglitch")),
        str(classifier),
        _number(values.get("rate"), "Error rate") or 0.1,
        _number(values.get("e0"), "Energy zero"),
        _number(values.get("shift"), "Move e0") or 0.0,
    )


def _number(value: Any, field: str) -> float | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise XascoordError(f"‘{field}’ must be a number")
    return float(value)
