"""What a person may have meant who wrote a name that there is not."""

import difflib
from collections.abc import Iterable
from typing import Final

#: How alike two words have to be, from 0 to 1: one letter of four may differ.
_ALIKE: Final = 0.7
_MOST: Final = 3


def did_you_mean(text: str, known: Iterable[str]) -> str:
    """Return a question that names what is written nearly so, to go behind an error; nothing where nothing is."""
    by_folded = {each.casefold(): each for each in known}
    found = difflib.get_close_matches(text.casefold()[:80], by_folded, _MOST, _ALIKE)
    return f"; did you mean {' or '.join(by_folded[each] for each in found)}?" if found else ""
