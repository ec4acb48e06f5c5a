"""What a process became by an exec: the executable, and all that is known of who runs it and where."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

#: What the `who` of a program begins with, in observations, policies and profiles.
PROGRAM: Final = "exe:"
#: Ancestors that are remembered of an image.
MAX_ANCESTORS: Final = 8


@dataclass(frozen=True, slots=True)
class Image:
    r"""One image, which a process and its children have until they exec something else.

    Text that came from a process is printable: what is not is written as `\xNN`. `executable` is the path of
    the file that runs (an interpreter, for a script), without the kernel's ` (deleted)`; `file` is what was
    asked for (the script, a symbolic link, `./name`). `command_line` is cut to MAX_COMMAND_LINE and its
    secrets are masked. `is_read` is False where the process had ended before it could be looked at:
    executable is then the file that was asked for.
    """

    number: int
    """The kernel's; 0 where none is known."""
    pid: int
    """The process that did the exec."""
    parent_pid: int
    uid: int
    executable: str
    file: str
    command_line: str
    comm: str
    started: float
    """When it was executed, seconds since the epoch."""
    unit: str | None = None
    """systemd's, such as `ssh.service`."""
    container: str | None = None
    """The first twelve digits of a container's id."""
    is_deleted: bool = False
    """Whether the file had been removed, or never had a name."""
    is_memfd: bool = False
    is_read: bool = True
    parent: "Image | None" = None
    """What its process was before, or the process that made it."""

    @property
    def program(self) -> str:
        r"""What it is known by: its executable, whose own @ are written as \x40, and its container if it is in one."""
        path = self.executable.replace("@", r"\x40")
        return PROGRAM + (path if self.container is None else f"{path}@{self.container}")

    def lineage(self) -> Iterator["Image"]:
        """Yield the image and its ancestors, the youngest first."""
        image: Image | None = self
        while image is not None:
            yield image
            image = image.parent
