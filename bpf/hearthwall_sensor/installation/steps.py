"""What an installation does, told step by step, and undone if one of them fails."""

import subprocess
from collections.abc import Callable
from types import TracebackType
from typing import Self

from ..protocol import SensorError


class Steps:
    """The steps done so far; leaving it by an exception undoes them, the last one first."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        """Take whom to tell of each step."""
        self._tell = tell
        self._undoing: list[Callable[[], object]] = []
        self.told: list[str] = []

    def did(self, sentence: str, undo: Callable[[], object] | None = None) -> None:
        """Tell what was done, and how it is undone."""
        if undo is not None:
            self.undo_by(undo)
        self.told.append(sentence)
        self._tell(sentence)

    def undo_by(self, undo: Callable[[], object]) -> None:
        """Have something undone if a later step fails."""
        self._undoing.append(undo)

    def settle(self) -> None:
        """Keep what was done up to now, whatever fails later."""
        self._undoing.clear()

    def undo(self) -> list[str]:
        """Undo what was done, the last step first, each though another one fails; return what failed."""
        failed = []
        while self._undoing:
            try:
                self._undoing.pop()()
            except (SensorError, OSError, subprocess.SubprocessError) as error:
                failed.append(str(error))
        return failed

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.settle()
            return
        if self._undoing:
            self._tell("That failed: what was done is undone")
        for each in self.undo():
            self._tell(f"This could not be undone: {each}")
