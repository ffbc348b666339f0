"""What is learnt from the library of references, as one thing that is asked.

The models of the embedded references come with the package, as arrays; where the user has
references of their own, both are learnt from together when the first spectrum is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np

from xascoord.references.classifier import (
    CoordinationClassifier,
    Profile,
    profiles_of,
    shape_distance,
)
from xascoord.references.kinds import OXYGEN, WHOLE, KindClassifier
from xascoord.references.library import (
    Reference,
    embedded_references,
    is_same_compound,
    own_references,
)
from xascoord.references.logistic import Logistic

FITTED = Path(__file__).with_name("models.npz")
# Probability of an oxygen compound below which no coordination is said. Of elements without a
# measured oxide the classifier knows less (benchmarks/measured_choice.py --leave-out element).
MIN_OXYGEN, MIN_OXYGEN_UNKNOWN = 0.5, 0.3
NO_OXYGEN_COMPOUND = "probably no oxygen compound"  # how a refusal by kind begins


@dataclass(frozen=True)
class NearReference:
    """A reference and how far from it a spectrum is, in edge steps (root mean square)."""

    reference: Reference
    distance: float


class ReferenceModels:
    """The library of references and what is learnt from it.

    Parameters
    ----------
    library
        References with what is seen of them.
    coordination, kind, kind_of_short
        Fitted to them; the last to what short scans of them would show, None: when it is needed.
    """

    def __init__(
        self,
        library: Sequence[tuple[Reference, Profile]],
        coordination: CoordinationClassifier,
        kind: KindClassifier,
        kind_of_short: KindClassifier | None = None,
    ) -> None:
        self.library, self.coordination, self.kind = tuple(library), coordination, kind
        if kind_of_short is not None:
            self.kind_of_short = kind_of_short
        self._without: dict[frozenset[str], Self] = {}

    @classmethod
    def fit(cls, references: Iterable[Reference]) -> Self:
        """Learn from references.

        Parameters
        ----------
        references
            Of a library.
        """
        return cls.fit_profiles(profiles_of(tuple(references)))

    @classmethod
    def fit_profiles(cls, library: Sequence[tuple[Reference, Profile]]) -> Self:
        """The same of references whose profiles are at hand."""
        return cls(library, CoordinationClassifier.fit(library), KindClassifier.fit(library))

    @classmethod
    def load(cls, own: Path | None = None) -> Self:
        """The models of the package, or those of its references and the user's own together.

        Parameters
        ----------
        own
            Folder of the user's own references; None: the usual one.
        """
        added = own_references(own)
        if added:
            return cls.fit((*embedded_references(), *added))
        with np.load(FITTED, allow_pickle=False) as arrays:
            shape, descriptors, kind, short = (
                Logistic.from_arrays(arrays, name)
                for name in ("shape", "descriptors", "kind", "kind_of_short")
            )
        return cls(
            profiles_of(embedded_references()), CoordinationClassifier(shape, descriptors),
            KindClassifier(kind), KindClassifier(short),
        )  # fmt: skip

    def save(self, path: Path) -> None:
        """Keep the fitted models as a NumPy archive.

        Parameters
        ----------
        path
            File to write.
        """
        np.savez_compressed(
            path, allow_pickle=False, **self.coordination.shape.arrays("shape"),
            **self.coordination.descriptors.arrays("descriptors"),
            **self.kind.model.arrays("kind"),
            **self.kind_of_short.model.arrays("kind_of_short"),
        )  # fmt: skip

    @cached_property
    def kind_of_short(self) -> KindClassifier:
        """Learnt from what short scans of the references would show."""
        return KindClassifier.fit(self.library, short=True)

    def kinds(self, profile: Profile, covers: tuple[float, float]) -> dict[str, float]:
        """Probability of each kind of compound.

        Parameters
        ----------
        profile
            Of a spectrum.
        covers
            First and last measured energy, in eV about e0.
        """
        is_whole = covers[0] <= WHOLE[0] and covers[1] >= WHOLE[1]
        (found,) = (self.kind if is_whole else self.kind_of_short).predict_proba([profile])
        return found

    def without(self, compound: str) -> Self:
        """What the library teaches without a compound, so that a spectrum of it can be judged.

        Parameters
        ----------
        compound
            Its name or formula (``library.is_same_compound``).
        """
        left = frozenset(
            one.name for one, _ in self.library if is_same_compound(one.compound, compound)
        )
        if not left:
            return self
        if left not in self._without:
            rest = [pair for pair in self.library if pair[0].name not in left]
            self._without[left] = self.fit_profiles(rest)
        return self._without[left]

    def nearest(self, profile: Profile, count: int) -> list[NearReference]:
        """The references of the same element that are nearest in shape.

        Parameters
        ----------
        profile
            Of a spectrum.
        count
            How many at most; each compound once.
        """
        found = [
            NearReference(one, shape_distance(profile.mu, shown.mu))
            for one, shown in self.library
            if one.element == profile.element
        ]
        found.sort(key=lambda near: (round(near.distance, 6), near.reference.name))
        first: dict[str, NearReference] = {}
        for near in found:
            first.setdefault(near.reference.compound, near)
        return list(first.values())[:count]

    def has_oxide(self, element: str) -> bool:
        """Whether an oxygen compound of an element is among the references."""
        return any(one.element == element and one.is_oxygen_compound for one, _ in self.library)

    def descriptor_range(
        self, name: str, element: str, coordination: int
    ) -> tuple[float, float, int] | None:
        """Least and largest value of a descriptor, and of how many compounds; None: of none.

        Parameters
        ----------
        name
            One of ``descriptors.NAMES``.
        element, coordination
            Of the references.
        """
        values = [
            (one.compound, float(getattr(shown.descriptors, name)))
            for one, shown in self.library
            if (one.element, one.coordination) == (element, coordination)
        ]
        if not values:
            return None
        numbers = [value for _, value in values]
        return min(numbers), max(numbers), len({compound for compound, _ in values})


def why_no_oxygen_compound(kinds: Mapping[str, float], knows_oxides: bool = True) -> str:
    """Why a spectrum is not taken for that of an oxygen compound, or "".

    Parameters
    ----------
    kinds
        As from ``KindClassifier.predict_proba``.
    knows_oxides
        Whether an oxygen compound of the element was learnt from.
    """
    oxygen = kinds.get(OXYGEN, 0.0)
    if oxygen >= (MIN_OXYGEN if knows_oxides else MIN_OXYGEN_UNKNOWN):
        return ""
    other = max((name for name in sorted(kinds) if name != OXYGEN), key=lambda name: kinds[name])
    return (
        f"{NO_OXYGEN_COMPOUND} but a {other} ({1 - oxygen:.0%}, by measured references); "
        "coordination numbers are known for oxygen compounds only"
    )
