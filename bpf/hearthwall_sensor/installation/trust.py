"""Whose files may become what root runs: only root's, and those of whoever said sudo."""

import grp
import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ..protocol import SensorError


@dataclass(frozen=True, slots=True)
class Trust:
    """The users whose files are taken: who could change them could change what was run as root already."""

    users: frozenset[int] = frozenset((0,))

    @classmethod
    def of_caller(cls) -> Self:
        """Return the trust in root, and in who has become root by sudo to say this very command."""
        said = os.environ.get("SUDO_UID", "")
        return cls(frozenset((0, int(said)) if said.isdecimal() else (0,)))

    def require(self, said: os.stat_result, path: Path) -> None:
        """Raise SensorError `unsafe_files` if someone else could change a file or folder."""
        if said.st_uid not in self.users:
            owner = _user_name(said.st_uid)
            raise SensorError(
                "unsafe_files",
                f"{path} belongs to {owner}, who could change what root would run: use a copy that is"
                " root's, or give it to root",
            )
        if said.st_mode & stat.S_IWOTH or (
            said.st_mode & stat.S_IWGRP and not _is_private(said.st_gid, self.users)
        ):
            raise SensorError(
                "unsafe_files", f"others may write to {path}: chmod go-w it, and look what is in it"
            )

    def require_path(self, path: Path) -> None:
        """Raise SensorError `unsafe_files` if someone else could put another folder in this one's place."""
        for each in (path, *path.parents):
            said = each.stat()
            if each != path and said.st_mode & stat.S_ISVTX and said.st_uid in self.users:
                continue  # as in /tmp, where only who owns a folder moves it away
            self.require(said, each)


def _user_name(number: int) -> str:
    """Return a user's name, or its number."""
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"


def _is_private(group: int, users: frozenset[int]) -> bool:
    """Return whether nobody else is in a group, such as the one of the same name that each user has."""
    if group == 0:
        return True
    try:
        listed = grp.getgrgid(group).gr_mem
    except KeyError:
        listed = []
    own = {each.pw_name for each in pwd.getpwall() if each.pw_uid in users}
    primary = {each.pw_name for each in pwd.getpwall() if each.pw_gid == group}
    return {*listed, *primary} <= own
