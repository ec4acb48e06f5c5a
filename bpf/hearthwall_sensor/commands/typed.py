"""Commands of this program, written so that they can be pasted into the shell that this one came from."""

import os
import shlex
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from ..protocol import DEFAULT_SOCKET
from ..words.cells import clean

#: Set by a script that starts this program: how itself was called.
STARTED_AS: Final = "HEARTHWALL_STARTED_AS"


def typed(socket: str, words: Iterable[str]) -> str:
    """Return a command line: a command of this program with its arguments, on the socket that was given here."""
    command, *arguments = words
    where = [] if socket == DEFAULT_SOCKET else ["--socket", socket]
    return clean(f"{_program()} {shlex.join([command, *where, *arguments])}")


def _program() -> str:
    """Return how this program was started."""
    path = os.environ.get(STARTED_AS) or sys.argv[0]
    name = Path(path).name
    found = shutil.which(name)
    if found is not None and Path(found).resolve() == Path(path).resolve():
        said = name
    elif os.access(path, os.X_OK):
        said = shlex.quote(path)
    else:
        said = shlex.join([sys.executable, "-I", path])
    return f"sudo {said}" if _is_by_sudo() else said


def _is_by_sudo() -> bool:
    """Return whether this very command was given to sudo, rather than to a shell of root's."""
    given = os.environ.get("SUDO_COMMAND", "")
    return len(sys.argv) > 1 and given.endswith(" ".join(sys.argv[1:]))
