"""A root file system over this machine's own, in namespaces: what an image is and a container, without an engine."""

import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from lab import Lab

#: What Docker leaves a container's root (docker run --help, runtime privilege).
DOCKER_CAPABILITIES = (
    *("chown", "dac_override", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap"),
    *("net_bind_service", "net_raw", "sys_chroot", "mknod", "audit_write", "setfcap"),
)

_HOLD = """
set -e
mount --make-rprivate /
mount -t tmpfs image "$1"
mkdir "$1/image" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/image,workdir=$1/work" "$1/root"
mount -t proc proc "$1/root/proc"
mount --rbind /dev "$1/root/dev"
mount --rbind /sys "$1/root/sys"
mount -t tmpfs run "$1/root/run"
mkdir "$1/bpffs"
mount -t bpf -o mode=700 bpffs "$1/bpffs"
echo ready
exec sleep infinity
"""

#: A container's own: what it writes, its processes, a /sys without what the host has mounted there, an empty /run.
_RUN = """
set -e
mount --make-rprivate /
mkdir "$1/$2" "$1/$2/changed" "$1/$2/work" "$1/$2/root"
cd "$1/$2"
mount -t overlay overlay -o "lowerdir=$1/image:/,upperdir=$1/$2/changed,workdir=$1/$2/work" root
mount -t proc proc root/proc
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs root/sys
mount -t tmpfs run root/run
mkdir -p root/data
mount --bind "$3" root/data
[ -z "$5" ] || mount --bind "$1/bpffs" root/sys/fs/bpf
for each in null zero urandom; do touch "root/dev/$each"; mount --bind "/dev/$each" "root/dev/$each"; done
echo "127.0.0.1 localhost supervisor" >root/etc/hosts
capabilities=$4
shift 5
exec setpriv --bounding-set "-all,$capabilities" --inh-caps=-all \
  chroot root /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
"""


class Image:
    """What is put on top of this machine's root; everything goes when it is closed, or this process dies."""

    def __init__(self, folder: Path) -> None:
        self.place = folder / "image"
        self.place.mkdir()
        self._holder = subprocess.Popen(
            ["unshare", "--mount", "--kill-child", "--fork", "bash", "-c", _HOLD, "-", self.place],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._holder.stdout is not None
        assert self._holder.stdout.readline() == "ready\n"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._holder.kill()
        self._holder.wait()

    @property
    def within(self) -> list[str]:
        """What leads a command into the namespace where the image is mounted."""
        return ["nsenter", f"--mount=/proc/{inner(self._holder.pid)}/ns/mnt"]

    @property
    def root(self) -> Path:
        """The image's files, seen from outside."""
        return Path(f"/proc/{inner(self._holder.pid)}/root{self.place}/root")

    def run(
        self, *line: str | Path, lab: Lab | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the image, as a step of its making, or in the network of a lab's gateway."""
        entered = [*self.within, "chroot", f"{self.place}/root", *map(str, line)]
        done = subprocess.run(
            entered if lab is None else lab.argv("gateway", entered),
            capture_output=True,
            text=True,
            check=False,
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def changed(self) -> set[str]:
        """Return what the image has that this machine has not, or otherwise; and folders that it alone has."""
        top = self.root.parent / "image"
        # What was removed is a character device
        found = (each for each in top.rglob("*") if not each.is_char_device())
        paths = ((each, Path("/") / each.relative_to(top)) for each in found)
        return {str(path) for each, path in paths if not (each.is_dir() and path.is_dir())}


class Container:
    """A container of an image in the network of a lab's gateway, with exactly these capabilities.

    With `bpffs` it has what is one volume for all the image's containers.
    """

    def __init__(
        self,
        image: Image,
        lab: Lab,
        data: Path,
        line: Sequence[str],
        *,
        capabilities: Sequence[str] = DOCKER_CAPABILITIES,
        environment: Sequence[str] = (),
        bpffs: bool = False,
    ) -> None:
        self._lab, self._image = lab, image
        self.name = f"c{time.monotonic_ns()}"
        self._capabilities = ",".join(f"+{each}" for each in capabilities)
        started = [
            *("unshare", "--mount", "--pid", "--fork", "--kill-child"),
            *("bash", "-c", _RUN, "-", str(image.place), self.name, str(data)),
            *(self._capabilities, "bpffs" if bpffs else "", *environment, *line),
        ]
        self.log = data.parent / f"{self.name}.log"
        with self.log.open("w") as log:
            self._process = subprocess.Popen(
                lab.argv("gateway", [*image.within, *started]),
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    @property
    def said(self) -> str:
        """What it has logged."""
        return self.log.read_text()

    def run(self, *line: str) -> subprocess.CompletedProcess[str]:
        """Run a command in it."""
        first = inner(self._process.pid)
        entered = ["nsenter", f"--mount=/proc/{first}/ns/mnt", f"--pid=/proc/{first}/ns/pid"]
        limited = ["setpriv", "--bounding-set", f"-all,{self._capabilities}", "--inh-caps=-all"]
        root = f"{self._image.place}/{self.name}/root"
        return subprocess.run(
            self._lab.argv("gateway", [*entered, *limited, "chroot", root, *line]),
            capture_output=True,
            text=True,
            check=False,
        )

    def kill(self) -> None:
        """End it as a power cut would: every process at once, and its namespaces with them."""
        if self._process.poll() is None:
            subprocess.run(["kill", "-KILL", str(inner(self._process.pid))], check=False)
        self._process.wait(10)

    def stop(self) -> int:
        """End it as an engine does, and return its exit status."""
        subprocess.run(["kill", "-TERM", str(inner(self._process.pid))], check=True)
        return self._process.wait(60)

    @property
    def has_ended(self) -> bool:
        """Whether it has ended by itself."""
        return self._process.poll() is not None


def inner(pid: int) -> int:
    """Return the first process in the namespaces that `unshare` has made, by the process that it was started as."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if children:
            return int(children[0])
        time.sleep(0.01)
    raise TimeoutError(f"{pid} has no child")
