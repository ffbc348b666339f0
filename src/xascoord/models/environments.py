"""What surrounds the absorber, as one of the answers for a spectrum."""

from __future__ import annotations

from dataclasses import dataclass

from xascoord.core.rankings import Ranking, cns_in

NUMBER_WORDS = {
    1: "one neighbour", 2: "two neighbours", 3: "three neighbours", 4: "four neighbours",
    5: "five neighbours", 6: "six neighbours", 7: "seven neighbours", 8: "eight neighbours",
    9: "nine neighbours", 10: "ten neighbours", 11: "eleven neighbours", 12: "twelve neighbours",
}  # fmt: skip


@dataclass(frozen=True)
class Alternative:
    """An environment, its likeliest whole ranking, and probabilities.

    Attributes
    ----------
    label
        The likeliest ranking that begins with the environment, as text.
    cn_label
        That ranking's coordination numbers.
    environment
        First coordination number and motif, e.g. ``CN_6 octahedral``.
    probability
        Of the environment: all environments add up to 1.
    cn_probability
        Of its coordination number as the first: all numbers add up to 1.
    ranking
        The likeliest ranking.
    """

    label: str
    cn_label: str
    environment: str
    probability: float
    cn_probability: float
    ranking: Ranking = ()

    def record(self) -> dict[str, str | float]:
        """JSON values."""
        names = ("label", "cn_label", "environment", "probability", "cn_probability")
        return {name: getattr(self, name) for name in names}

    @property
    def number(self) -> int:
        """The first coordination number."""
        return cns_in(self.cn_label)[0]

    @property
    def words(self) -> str:
        """The environment in words, e.g. ``octahedral, six neighbours``."""
        motif = self.environment.partition(" ")[2]
        return f"{motif}, {NUMBER_WORDS[self.number]}" if motif else NUMBER_WORDS[self.number]
