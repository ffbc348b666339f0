"""How much is read of what comes from outside.

A file that claims or holds more is damaged or hostile, and reading it would take the memory of the
machine: it is rejected instead.
"""

from __future__ import annotations

from pydantic import Field

from xascoord.settings.base import Section


class Limits(Section):
    """Most of each kind that is read; beyond it a file, document or spectrum is rejected."""

    file_bytes: int = Field(
        50_000_000, ge=1, description="Bytes of a file or member of an archive, unpacked."
    )
    line_bytes: int = Field(
        100_000, ge=1, description="Bytes of a line of a measured file of columns."
    )
    columns: int = Field(1_000, ge=1, description="Columns of a measured file.")
    values: int = Field(
        10_000_000, ge=1, description="Values of a measured file: its rows times its columns."
    )
    document_bytes: int = Field(
        20_000_000, ge=1, description="Bytes of a document of a dump (a line, an entry), unpacked."
    )
    points: int = Field(100_000, ge=1, description="Points of a spectrum.")
    atoms: int = Field(2_000, ge=1, description="Atoms of a cell or cluster.")
    bundle_bytes: int = Field(
        2_000_000_000, ge=1, description="Bytes of a bundle of models, unpacked."
    )
    nesting: int = Field(50, ge=1, description="Lists and objects within each other.")


DEFAULT_LIMITS = Limits()
