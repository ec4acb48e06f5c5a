"""Debian's own receivers of logs: rsyslogd, and a journald that keeps to itself."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab import Lab
from tests.unit.certificates import Authority

UDP, TCP, TLS, STRICT = 5514, 5515, 6514, 6515
CLIENT = "gateway.example"

_FIELDS = {
    "facility": "syslogfacility",
    "severity": "syslogseverity",
    "time": "timestamp",
    "host": "hostname",
    "app": "app-name",
    "kind": "msgid",
    "data": "structured-data",
    "text": "msg",
    "input": "inputname",
}


@dataclass
class Rsyslog:
    """rsyslogd on a host of the lab: what each of its inputs read is a line of JSON in a file."""

    lab: Lab
    folder: Path
    authority: Authority
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        """Write its configuration."""
        self.folder.mkdir(parents=True, exist_ok=True)
        certificate, key = self.authority.sign("rsyslog", "IP:127.0.0.1,DNS:log.example")
        template = "".join(
            f'property(outname="{name}" name="{of}" format="jsonf"'
            + (' dateFormat="rfc3339"' if of == "timestamp" else "")
            + ")"
            + (' constant(value=",")' if name != "input" else "")
            for name, of in _FIELDS.items()
        )
        driver = 'StreamDriver.Name="gtls" StreamDriver.Mode="1"'
        self.config.write_text(
            f"""
            global(workDirectory="{self.folder}" parser.escapeControlCharactersOnReceive="off"
                defaultNetstreamDriverCAFile="{self.authority.certificate}"
                defaultNetstreamDriverCertFile="{certificate}" defaultNetstreamDriverKeyFile="{key}")
            module(load="imudp")
            module(load="imtcp")
            template(name="json" type="list") {{
                constant(value="{{") {template} constant(value="}}\\n")
            }}
            ruleset(name="keep") {{
                action(type="omfile" file="{self.output}" template="json" asyncWriting="off")
            }}
            input(type="imudp" address="127.0.0.1" port="{UDP}" ruleset="keep" name="udp")
            input(type="imtcp" address="127.0.0.1" port="{TCP}" ruleset="keep" name="tcp")
            input(type="imtcp" address="127.0.0.1" port="{TLS}" ruleset="keep" name="tls"
                {driver} StreamDriver.AuthMode="anon")
            input(type="imtcp" address="127.0.0.1" port="{STRICT}" ruleset="keep" name="strict"
                {driver} StreamDriver.AuthMode="x509/name" PermittedPeer="{CLIENT}")
            """
        )

    @property
    def config(self) -> Path:
        """Its configuration."""
        return self.folder / "rsyslog.conf"

    @property
    def output(self) -> Path:
        """What it read."""
        return self.folder / "got.json"

    def start(self) -> None:
        """Start it, and return when it listens."""
        line = ["rsyslogd", "-n", "-f", str(self.config), "-i", str(self.folder / "pid")]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                self.lab.argv("gateway", line), stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        deadline = time.monotonic() + 10
        while not self._listens():
            assert self.process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < deadline, (self.folder / "log").read_text()
            time.sleep(0.05)

    def _listens(self) -> bool:
        """Return whether all of its ports are open."""
        done = self.lab.run("gateway", ["ss", "-Hltun"])
        return all(f"127.0.0.1:{port} " in done.stdout for port in (UDP, TCP, TLS, STRICT))

    def stop(self, signal_: int = signal.SIGTERM) -> None:
        """End it."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal_)
            self.process.wait(10)

    def got(self, name: str) -> list[dict[str, Any]]:
        """Return what one input read, as its parser understood it."""
        if not self.output.exists():
            return []
        read = [json.loads(each) for each in self.output.read_text().splitlines()]
        return [each for each in read if each["input"] == name]


#: In a mount namespace of its own `/run` is a folder of the test's, which it sees under its own name as well.
_JOURNALD = """
mount --make-rprivate /
mount --bind "$1" /run
[ -s /etc/machine-id ] || { echo 0123456789abcdef0123456789abcdef > /run/id; mount --bind /run/id /etc/machine-id; }
exec /lib/systemd/systemd-journald
"""
#: It listens to nobody but the test, whatever comes.
_SETTINGS = """[Journal]
Storage=volatile
RateLimitBurst=0
ReadKMsg=no
Audit=no
ForwardToSyslog=no
ForwardToWall=no
"""


class Journald:
    """systemd's journald, all of whose files lie in a folder of the test's."""

    def __init__(self, run: Path) -> None:
        """Start it, and return when it listens."""
        self._run = run
        settings = run / "systemd" / "journald.conf.d"
        settings.mkdir(parents=True)
        (settings / "test.conf").write_text(_SETTINGS)
        (run / "log" / "journal").mkdir(parents=True)
        self.socket = run / "systemd" / "journal" / "socket"
        self._process = subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", _JOURNALD, "sh", str(run)],
            stdin=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 10
        while not self.socket.exists():
            assert self._process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def got(self) -> list[dict[str, Any]]:
        """Return what journalctl says of Hearthwall's entries."""
        (folder,) = (self._run / "log" / "journal").iterdir()
        line = [
            "journalctl",
            "-D",
            str(folder),
            "-o",
            "json",
            "--all",
            "SYSLOG_IDENTIFIER=hearthwall",
        ]
        done = subprocess.run(line, capture_output=True, text=True, check=False)
        return [json.loads(each) for each in done.stdout.splitlines()]

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(10)


@contextlib.contextmanager
def journald() -> Iterator[Journald]:
    """Run a journald. A socket's path is short, so its folder is no test's."""
    run = Path(tempfile.mkdtemp(prefix="hwj"))
    made = None
    try:
        made = Journald(run)
        yield made
    finally:
        if made is not None:
            made.stop()
        shutil.rmtree(run, ignore_errors=True)


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """Mount a disk of 96 kB."""
    folder.mkdir(mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=96k,mode=700", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def child_of(pid: int, word: str) -> int | None:
    """Return the child of a process that has a word in its command line."""
    for each in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError):
            parent = int((each / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == pid and word in (each / "cmdline").read_bytes().decode().split("\0"):
                return int(each.name)
    return None


def end(pid: int) -> None:
    """Kill a process."""
    os.kill(pid, signal.SIGKILL)
