"""What an installation made that nobody could tell later: so that only that is taken away again."""

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from .. import files


@dataclass(slots=True)
class Record:
    """What was made here."""

    group_made: bool = False
    #: Users who were put into the group.
    members: list[str] = field(default_factory=list)
    #: Folders that were not there before.
    folders: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return the record, an empty one where there is none that reads."""
        try:
            return cls(**json.loads(path.read_text()))
        except (OSError, ValueError, TypeError):
            return cls()

    def write(self, path: Path) -> None:
        """Put it on disk."""
        files.write(path, json.dumps(dataclasses.asdict(self), indent=1).encode())
        files.previous(path).unlink(missing_ok=True)
