"""Settings of the ranking labels."""

from __future__ import annotations

from pydantic import Field

from xascoord.settings.base import Section


class Labels(Section):
    """Ranking labels of coordination numbers and motifs."""

    calibrate: bool = Field(
        False, description="Calibrate both thresholds on the data instead of fixing them."
    )
    cn_threshold: float = Field(
        0.20, gt=0, le=1, description="t1: lowest weight of a coordination number in a label."
    )
    motif_threshold: float = Field(
        0.05, gt=0, le=1, description="t2: lowest weighted motif order parameter in a label."
    )
    highest_candidate: float = Field(
        0.40, gt=0, le=1, description="Highest threshold tried; from 0 in steps of 0.01."
    )
    degenerate_fraction: float = Field(
        0.9, gt=0, lt=1, description="Candidates with more of all labels on are left out."
    )
    min_samples: int = Field(30, ge=1, description="Rarer ranking labels are not learnt.")
