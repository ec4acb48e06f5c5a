"""What an installation made that nobody could tell later: so that only that is taken away again."""

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from . import placing


@dataclass(slots=True)
class Record:
    """What was made here."""

    group_made: bool = False
    #: Users who were put into the group.
    members: list[str] = field(default_factory=list)
    #: Folders that were not there before.
    folders: list[str] = field(default_factory=list)
    #: Whether all of it was done: from then on it is the administrator's to start and to stop.
    complete: bool = False

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return the record, an empty one where there is none that reads."""
        try:
            said = json.loads(path.read_text())
            known = {each.name for each in dataclasses.fields(cls)}
            record = cls(**{name: value for name, value in said.items() if name in known})
            if all(isinstance(each, str) for each in (*record.members, *record.folders)):
                return record
        except (OSError, ValueError, TypeError, AttributeError):
            pass
        return cls()

    def write(self, path: Path) -> None:
        """Put it on disk."""
        placing.file(path, json.dumps(dataclasses.asdict(self), indent=1), 0o600)
