"""Tables of bounded size: the oldest entries give way, many at a time."""

from itertools import islice
from typing import Any

#: So large a part of a table goes at once. One at a time Python would step over all that have gone, each time.
_PART = 16


def make_room(table: dict[Any, Any], limit: int) -> int:
    """Drop a table's oldest entries if there are more than limit; return how many went."""
    if len(table) <= limit:
        return 0
    oldest = list(islice(table, len(table) - limit + limit // _PART))
    for key in oldest:
        del table[key]
    return len(oldest)
