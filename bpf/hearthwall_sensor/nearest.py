"""What a person may have meant who wrote a name that there is not."""

import difflib
from collections.abc import Iterable
from typing import Final

#: How alike two words have to be, from 0 to 1: one letter of four may differ.
_ALIKE: Final = 0.7
_MOST: Final = 3
#: So many characters of a word are its beginning.
_BEGINNING: Final = 3


def did_you_mean(text: str, known: Iterable[str]) -> str:
    """Return a question that names what is written nearly so, to go behind an error; nothing where nothing is."""
    by_folded = {each.casefold(): each for each in known}
    folded = text.casefold()[:80]
    found = difflib.get_close_matches(folded, by_folded, _MOST, _ALIKE)
    if not found and len(folded) >= _BEGINNING:
        found = [each for each in by_folded if each.startswith(folded)][:_MOST]
    return f"; did you mean {' or '.join(by_folded[each] for each in found)}?" if found else ""
