"""Which files root may run: those that nobody but root can change."""

import stat
from collections.abc import Iterator
from pathlib import Path

_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH


def find_untrusted(folder: Path) -> Path | None:
    """Return the first path in or above folder that someone other than root could change.

    Whoever may change a file, or put another in its place, would get root's rights by it.
    """
    real = folder.resolve(strict=True)
    for parent in real.parents:
        if not _is_trusted_parent(parent):
            return parent
    return next((path for path in _walk(real) if not _is_trusted(path)), None)


def _walk(folder: Path) -> Iterator[Path]:
    """Yield folder and everything below it, without following links."""
    yield folder
    for parent, folders, files in folder.walk():
        for name in (*folders, *files):
            yield parent / name


def _is_trusted(path: Path) -> bool:
    """Tell whether path is root's own folder or file; a link may lead anywhere, so it is not."""
    status = path.lstat()
    return (
        status.st_uid == 0
        and not status.st_mode & _OTHERS_MAY_WRITE
        and (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode))
    )


def _is_trusted_parent(path: Path) -> bool:
    """Tell whether nobody but root can rename what lies in a folder above.

    In a sticky folder such as /tmp others may add files, but not touch root's.
    """
    status = path.lstat()
    return status.st_uid == 0 and (
        bool(status.st_mode & stat.S_ISVTX) or not status.st_mode & _OTHERS_MAY_WRITE
    )
