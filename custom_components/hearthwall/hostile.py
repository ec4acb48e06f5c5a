"""Text that came from the network, made fit to be shown: bounded, on one line, and unable to dress up."""

from collections.abc import Iterable
from typing import Final

MOST_SHOWN: Final = 200
_MOST_LINES: Final = 8
#: Of a log's line, which names files by their paths.
_MOST_OF_A_LINE: Final = 500


def plain(text: str, limit: int = MOST_SHOWN) -> str:
    """Return a text in which nothing ends the quotation that it is put into, and nothing turns its direction."""
    shown = "".join(each if each.isprintable() else " " for each in text[: 4 * limit])
    shown = " ".join(shown.replace("`", "'").split())
    return shown if len(shown) <= limit else f"{shown[: limit - 1]}…"


def quoted_lines(lines: Iterable[str]) -> str:
    """Return the last lines of a log as Markdown that shows them as they are."""
    shown = [plain(each, _MOST_OF_A_LINE) for each in list(lines)[-_MOST_LINES:]]
    return "\n".join(("```text", *shown, "```")) if any(shown) else "—"
