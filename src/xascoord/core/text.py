"""Text from outside made fit to be shown and written."""

from __future__ import annotations

import unicodedata

# Control, format (right-to-left marks), surrogate, private, and what no version of Unicode has;
# line and paragraph separators.
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def printable(text: str, keep: str = "") -> str:
    """Text without characters that a terminal would obey instead of showing.

    Names of files may hold any of them: each becomes its escape.

    Parameters
    ----------
    text
        Whatever was read.
    keep
        Characters to leave, for example line breaks of a message of several lines.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        character.encode("unicode_escape").decode("ascii")
        if unicodedata.category(character) in _HIDDEN and character not in keep
        else character
        for character in text
    )
