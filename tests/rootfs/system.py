"""A Debian that is entered: its own root, mounts, cgroup and bpffs, on a gateway of the lab."""

import os
import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from lab import Lab
from tests.gateway.cgroup import TestCgroup

#: Who runs the README's commands: somebody who may say sudo.
USER = "alice"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_ENVIRONMENT = ("env", "-i", f"PATH={_PATH}", "LANG=C.UTF-8", "HOME=/root", "TERM=dumb")

#: What a kernel shows each system, in a root that is a layer over the cached one. All goes with the last process.
_MOUNTS = """
set -e
mount --make-rprivate /
mount -t overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" overlay "$2/root"
mount -t proc proc "$2/root/proc"
mount -t sysfs sysfs "$2/root/sys"
mount -t bpf bpf "$2/root/sys/fs/bpf"
mount -t tracefs tracefs "$2/root/sys/kernel/tracing"
mount -t cgroup2 cgroup2 "$2/root/sys/fs/cgroup"
mount --rbind /dev "$2/root/dev"
echo ready
exec sleep infinity
"""


class System:
    """One system, fresh from the cache: what is changed in it is gone with it."""

    def __init__(self, tree: Path, folder: Path, lab: Lab) -> None:
        self.lab = lab
        self.folder = folder
        for name in ("upper", "work", "root"):
            (folder / name).mkdir()
        self._started: list[subprocess.Popen[bytes]] = []
        self.cgroup = TestCgroup.make()
        line = ["unshare", "--mount", "--cgroup", "sh", "-c", _MOUNTS, "sh", tree, folder]
        self._holder = subprocess.Popen(
            lab.argv("gateway", self.cgroup.argv([str(each) for each in line])),
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._holder.stdout is not None
        assert self._holder.stdout.readline() == "ready\n"
        self._make_user()

    def _make_user(self) -> None:
        """Make the person who owns the gateway."""
        self.run("useradd", "--create-home", "--shell", "/bin/bash", USER)
        sudoers = self.path(f"/etc/sudoers.d/{USER}")
        sudoers.write_text(f"{USER} ALL=(ALL) NOPASSWD: ALL\n")
        sudoers.chmod(0o440)
        with self.path("/etc/hosts").open("a") as hosts:  # sudo looks for this host's own name
            hosts.write(f"127.0.0.1 localhost {os.uname().nodename}\n")

    def path(self, path: str) -> Path:
        """Return a path of the system, as it is seen from here."""
        return Path(f"/proc/{self._holder.pid}/root{self.folder}/root") / path.lstrip("/")

    def argv(self, line: Sequence[str]) -> list[str]:
        """Return the command line that runs another one in the system, as root."""
        enter = ["nsenter", f"--target={self._holder.pid}", "--mount", "--cgroup", "--net", "--"]
        within = ["chroot", str(self.folder / "root"), *_ENVIRONMENT, *line]
        return self.cgroup.argv([*enter, *within])

    def run(
        self, *line: str, check: bool = True, timeout: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        done = subprocess.run(
            self.argv(line),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert not check or done.returncode == 0, f"{shlex.join(line)}: {done.stdout}{done.stderr}"
        return done

    def say(self, command: str, check: bool = True) -> str:
        """Run a line of shell as a person would type it; return what the person reads."""
        typed = ["runuser", "-u", USER, "--", "sh", "-c", f"cd /home/{USER} && {command} 2>&1"]
        return self.run("env", f"HOME=/home/{USER}", *typed, check=check, timeout=120).stdout

    def popen(self, *line: str, log: Path) -> subprocess.Popen[bytes]:
        """Start a command that goes on."""
        with log.open("a") as file:
            started = subprocess.Popen(
                self.argv(line), stdin=subprocess.DEVNULL, stdout=file, stderr=file
            )
        self._started.append(started)
        return started

    @property
    def processes(self) -> set[int]:
        """All that run in the system."""
        said = (self.cgroup.path / "cgroup.procs").read_text()
        return {int(each) for each in said.split()}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End all that runs in it; its mounts, its pins and what hangs on them go with the last process."""
        self.cgroup.clean()
        for each in (self._holder, *self._started):
            each.wait(10)
        if self._holder.stdout is not None:
            self._holder.stdout.close()
