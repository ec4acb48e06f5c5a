"""State files that were found damaged and set aside: which lie there still, and how they go."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from . import files
from .feeds.feeds import FEEDS_FOLDER
from .feeds.state import STATE_FILE
from .protocol import SensorError

#: What `damaged` adds to a name, with what SQLite has beside a database.
_ASIDE: Final = "*.damaged"
_BESIDE: Final = ("-wal", "-shm")
#: The state folder has fewer files than that; who put more there is not told of them.
_MOST_TOLD: Final = 16


class Damage:
    """The damaged files in a sensor's state folder. Copies of lists are not among them: those are read anew."""

    def __init__(self, state: Path) -> None:
        """Take the state folder."""
        self._state = state

    def files(self) -> tuple[str, ...]:
        """Return the names that the damaged files had, for as long as they lie aside."""
        names = {each.name.removesuffix(".damaged") for each in self._aside()}
        return tuple(sorted(names)[:_MOST_TOLD])

    def discard(self) -> tuple[str, ...]:
        """Remove the damaged files and return the names that they had; raises SensorError `storage_failed`."""
        gone = self.files()
        try:
            for each in self._aside():
                for path in (*(each.with_name(each.name + end) for end in _BESIDE), each):
                    path.unlink(missing_ok=True)
        except OSError as error:
            raise SensorError(
                "storage_failed", f"{error.filename} can't be removed: {error.strerror}"
            ) from error
        return gone

    def _aside(self) -> Iterator[Path]:
        """Yield what was set aside."""
        feeds = self._state / FEEDS_FOLDER / STATE_FILE
        found = (
            *self._state.glob(_ASIDE),
            *(files.damaged(each) for each in (feeds, files.previous(feeds))),
        )
        return (each for each in found if each.is_file())
