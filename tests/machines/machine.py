"""A Debian with its own kernel and its own systemd, in an emulator: slow, and the same on every machine."""

import json
import os
import shlex
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

#: Until a machine has started, emulated on a busy host.
BOOT_SECONDS = 600
#: TCG emulates the processor, since few test machines let a virtual machine have theirs.
_QEMU = (
    "qemu-system-x86_64",
    *("-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "1536"),
    *("-nodefaults", "-no-user-config", "-nographic", "-nic", "none"),
    *("-append", "root=/dev/vda rw console=ttyS0 panic=-1 no_timer_check mitigations=off"),
)
#: Of a file that is written into the machine, at once.
_PIECE = 1 << 20


class Machine:
    """One machine; what is changed on its disk is gone with it."""

    def __init__(self, made: Path, folder: Path) -> None:
        self.console = folder / "console"
        ours, theirs = socket.socketpair()
        self._socket = ours
        self._pending = b""
        port = f"socket,id=tests,fd={theirs.fileno()}"
        self._process = subprocess.Popen(
            [
                *_QEMU,
                *("-kernel", str(made / "kernel"), "-initrd", str(made / "initrd")),
                *("-drive", f"file={made / 'disk'},format=raw,if=virtio,snapshot=on"),
                *("-serial", f"file:{self.console}"),
                *("-device", "virtio-serial", "-chardev", port),
                *("-device", "virtserialport,chardev=tests,name=tests"),
            ],
            stdin=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            env={**os.environ, "TMPDIR": str(folder)},
        )
        theirs.close()
        self.boot = self._read(BOOT_SECONDS)["booted"]

    def _read(self, seconds: float) -> Any:
        """Return the next line that the machine says."""
        deadline = time.monotonic() + seconds
        while b"\n" not in self._pending:
            self._socket.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                chunk = self._socket.recv(1 << 16)
            except TimeoutError:
                raise AssertionError(f"nothing came in {seconds:g} s: {self._last()}") from None
            assert chunk, f"the machine has ended: {self._last()}"
            self._pending += chunk
        line, _, self._pending = self._pending.partition(b"\n")
        return json.loads(line)

    def _last(self) -> str:
        return self.console.read_text(errors="replace")[-2000:] if self.console.exists() else ""

    def _ask(self, asked: dict[str, object], seconds: float) -> Any:
        self._socket.settimeout(seconds)
        self._socket.sendall(json.dumps(asked).encode() + b"\n")
        return self._read(seconds)

    def run(
        self, *line: str, check: bool = True, timeout: float = 300
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, as root."""
        said = self._ask({"argv": line, "timeout": timeout}, timeout + 30)
        done = subprocess.CompletedProcess(line, said["status"], said["stdout"], said["stderr"])
        assert not check or done.returncode == 0, f"{shlex.join(line)}: {done.stdout}{done.stderr}"
        return done

    def say(self, command: str, check: bool = True, timeout: float = 300) -> str:
        """Run a line of shell; return what a person would read."""
        return self.run("sh", "-c", f"exec 2>&1; {command}", check=check, timeout=timeout).stdout

    def write(self, path: str, content: bytes) -> None:
        """Write a file on the machine's disk."""
        pieces = [content[at : at + _PIECE] for at in range(0, len(content), _PIECE)] or [b""]
        for number, each in enumerate(pieces):
            self._ask({"write": f"{path}.{number}", "content": each.hex()}, 60)
        parts = " ".join(shlex.quote(f"{path}.{number}") for number in range(len(pieces)))
        self.say(f"cat {parts} > {shlex.quote(path)} && rm {parts}")

    def until(self, command: str, seconds: float = 60) -> bool:
        """Return whether a line of shell came true in time."""
        deadline = time.monotonic() + seconds
        while self.run("sh", "-c", command, check=False).returncode:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.5)
        return True

    def restart(self) -> None:
        """Restart the machine as a person would, and wait until it is there again."""
        self.run("systemctl", "--no-block", "reboot")
        self.boot, before = self._read(BOOT_SECONDS)["booted"], self.boot
        assert self.boot != before

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Pull the plug."""
        self._process.kill()
        self._process.wait(10)
        self._socket.close()
