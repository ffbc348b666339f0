"""Why something is not used: every reason, and what a rejection table holds of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from xascoord.core.errors import OF_THE_MACHINE, LimitError, NotAFileError


class Reason(StrEnum):
    """Every reason that can stand in a rejection table."""

    UNREADABLE = "unreadable"
    BEYOND_LIMIT = "beyond_limit"
    NOT_UTF8 = "not_utf8"
    EMPTY = "empty"
    TRUNCATED = "truncated"
    WRONG_TYPE = "wrong_type"
    MISSING_KEY = "missing_key"
    WRONG_COLUMNS = "wrong_columns"
    NOT_A_NUMBER = "not_a_number"
    TOO_FEW_POINTS = "too_few_points"
    ENERGY_NOT_INCREASING = "energy_not_increasing"
    ENERGY_NOT_AT_EDGE = "energy_not_at_edge"
    NEGATIVE_MU = "negative_mu"
    NO_EDGE = "no_edge"
    UNCONVERGED = "unconverged"
    FEFF_FAILED = "feff_failed"
    NOT_COMPUTED = "not_computed"
    TIMEOUT = "timeout"
    NO_STRUCTURE = "no_structure"
    BAD_STRUCTURE = "bad_structure"
    SITE_OUT_OF_RANGE = "site_out_of_range"
    ELEMENT_MISMATCH = "element_mismatch"
    OTHER_ELEMENT = "other_element"
    OTHER_EDGE = "other_edge"
    NOT_AN_OXIDE = "not_an_oxide"
    DUPLICATE = "duplicate"
    WINDOW_NOT_COVERED = "window_not_covered"
    MISSING_SITE = "missing_site"
    SITE_AVERAGED = "site_averaged"
    OTHER_GEOMETRY = "other_geometry"
    EQUIVALENT_SITE = "equivalent_site"
    NOT_USED = "not_used"


class RejectedSpectrum(Exception):
    """Raised where a single spectrum turns out unusable; always caught and counted."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


@contextmanager
def one_document() -> Iterator[None]:
    """Whatever a single document makes a reader raise rejects that document and no other.

    Raises
    ------
    RejectedSpectrum
        In place of any error but those of this machine (memory, disk, a missing library).
    """
    try:
        yield
    except (RejectedSpectrum, *OF_THE_MACHINE):
        raise
    except LimitError as error:
        raise RejectedSpectrum(Reason.BEYOND_LIMIT, str(error)) from None
    except NotAFileError as error:
        raise RejectedSpectrum(Reason.UNREADABLE, str(error)) from None
    except RecursionError:
        raise RejectedSpectrum(Reason.UNREADABLE, "nested too deep") from None
    except Exception as error:
        detail = f"{type(error).__name__}: {error}"[:120]
        raise RejectedSpectrum(Reason.UNREADABLE, detail) from None


def plain_text(text: str) -> str:
    """Text that can be written as UTF-8: bytes of a name that are none become escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


@dataclass(frozen=True)
class Rejection:
    """A spectrum that did not, and why; ``absorber`` is empty where it is unknown."""

    item: str
    reason: Reason
    detail: str
    absorber: str = ""
    kind: str = "site"

    def __post_init__(self) -> None:
        for name in ("item", "detail", "absorber"):
            object.__setattr__(self, name, plain_text(getattr(self, name)))

    def row(self, stage: str, source: str) -> dict[str, Any]:
        """As a row of ``schemas.REJECTIONS``."""
        return {
            "stage": stage,
            "source": source,
            "absorber": self.absorber,
            "kind": self.kind,
            "item": self.item,
            "reason": str(self.reason),
            "detail": self.detail,
        }
