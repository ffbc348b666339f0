"""What the sections of the settings are made of."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict


def _rising(pair: tuple[float, float]) -> tuple[float, float]:
    if pair[1] <= pair[0]:
        raise ValueError("the second number must lie above the first")
    return pair


Range = Annotated[tuple[float, float], AfterValidator(_rising)]


class Section(BaseModel):
    """Base of all sections: unknown keys are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
