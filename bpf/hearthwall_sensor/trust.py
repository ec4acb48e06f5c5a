"""Who could change a file or a folder: asked wherever root runs, loads or believes what is in it."""

import grp
import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from .protocol import SensorError

#: Where a file system keeps whom it lets write beside owner, group and others.
_ACL: Final = "system.posix_acl_access"


@dataclass(frozen=True, slots=True)
class Trust:
    """The users who may change what is asked about; whoever else could is a reason to leave it alone."""

    users: frozenset[int] = frozenset((0,))
    lone_groups: bool = False
    """Whether a group may write in which nobody but these users is."""

    @classmethod
    def own(cls) -> Self:
        """Return the trust in root and in this process's user."""
        return cls(frozenset((0, os.geteuid())))

    @classmethod
    def of_caller(cls) -> Self:
        """Return the trust in root, and in who has become root by sudo to say this very command.

        Who could change what such a command reads could change what was run as root already.
        """
        said = os.environ.get("SUDO_UID", "")
        return cls(frozenset((0, int(said)) if said.isdecimal() else (0,)), lone_groups=True)

    def doubt(self, place: int | Path) -> str | None:
        """Return why someone else could change what is open or at a path, None if nobody could; raises OSError."""
        said = place.stat() if isinstance(place, Path) else os.fstat(place)
        if said.st_uid not in self.users:
            return f"it belongs to {_user_name(said.st_uid)}: give it to root, or use a copy that is root's"
        # Where there is an ACL, what is the group's in the mode is what its users and groups have at most
        by_group = said.st_mode & stat.S_IWGRP and not self._is_alone(place, said.st_gid)
        if by_group or said.st_mode & stat.S_IWOTH:
            return "others may write to it: chmod go-w it, after a look into it"
        return None

    def doubt_above(self, path: Path) -> tuple[Path, str] | None:
        """Return which folder above a path would let someone else put another thing in its place, and why.

        In a sticky folder such as /tmp others may add files, but not move this one.
        """
        for each in (*path.absolute().parents, *path.resolve().parents):
            said = each.stat()
            is_sticky = said.st_mode & stat.S_ISVTX and said.st_uid in self.users
            if not is_sticky and (why := self.doubt(each)) is not None:
                return each, why
        return None

    def require(self, place: int | Path, name: Path | str) -> None:
        """Raise SensorError `unsafe_files` if someone else could change a file or folder; or OSError."""
        if (why := self.doubt(place)) is not None:
            raise SensorError("unsafe_files", f"someone else could change {name}: {why}")

    def require_path(self, path: Path) -> None:
        """Raise SensorError `unsafe_files` if someone else could change this, or put another in its place."""
        self.require(path, path)
        if (found := self.doubt_above(path)) is not None:
            self.require(found[0], found[0])

    def _is_alone(self, place: int | Path, group: int) -> bool:
        """Return whether nobody else is in a group, such as the one of the same name that each user has."""
        if not self.lone_groups or _has_acl(place):
            return False
        try:
            listed = grp.getgrgid(group).gr_mem
        except KeyError:
            listed = []
        own = {each.pw_name for each in pwd.getpwall() if each.pw_uid in self.users}
        primary = {each.pw_name for each in pwd.getpwall() if each.pw_gid == group}
        return {*listed, *primary} <= own


def _has_acl(place: int | Path) -> bool:
    """Return whether there are users or groups beside the owner and the one group."""
    try:
        os.getxattr(place, _ACL)
    except OSError:  # none, or none in this file system
        return False
    return True


def _user_name(number: int) -> str:
    """Return a user's name, or its number."""
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"
