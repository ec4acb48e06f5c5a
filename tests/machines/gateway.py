"""The sensor on a machine of its own, installed by the README's commands and driven as its user drives it."""

import json
import time
from pathlib import Path
from typing import Any

from tests.machines.machine import Machine
from tests.rootfs.made import packed
from tests.rootfs.readme import RELEASES as DOWNLOADS, commands

INSTALLING = commands("## On your gateway")
UPGRADING = commands("### A newer version")
USER = "alice"
UNIT = "hearthwall-sensor.service"
#: What stands in for GitHub.
PORT = 8017
INTERNET = "203.0.113.10"
SINK = 9999

#: All that is where programs and settings are put, but for what systemd and apt write by themselves; the rest of the
#: disk is compared in tests/rootfs, since this processor is slow.
_FILES = """
find /etc /usr/bin /usr/sbin /usr/local /usr/lib/systemd /var /home /root /opt -xdev \\
  \\( -path /var/log -o -path /var/lib/systemd -o -path /var/tmp -o -path /var/lib/dpkg \\) -prune \\
  -o ! -name 'passwd-' ! -name 'group-' ! -name 'shadow-' ! -name 'gshadow-' -printf '%p %M %U %G %l\\n' | sort
find /etc -type f ! -name '*-' -exec sha256sum {} + | sort
"""

#: The programs in the kernel that systemd has not made, and pins.
_KERNEL = """
import ctypes, os, pathlib
lib = ctypes.CDLL("libbpf.so.1")
number, names = ctypes.c_uint32(0), []
while lib.bpf_prog_get_next_id(number.value, ctypes.byref(number)) == 0:
    fd = lib.bpf_prog_get_fd_by_id(number.value)
    info, size = ctypes.create_string_buffer(256), ctypes.c_uint32(256)
    if fd >= 0 and lib.bpf_obj_get_info_by_fd(fd, info, ctypes.byref(size)) == 0:
        names.append(info.raw[64:80].rstrip(b"\\0").decode())
        os.close(fd)
print(sorted(each for each in names if not each.startswith(("sd_", "sysctl_", "restrict_"))))
print(sorted(map(str, pathlib.Path("/sys/fs/bpf").rglob("*"))))
"""


class Gateway:
    """One gateway."""

    def __init__(self, machine: Machine, zips: Path) -> None:
        self.machine = machine
        self._zips = zips
        machine.say(f"useradd --create-home --shell /bin/bash {USER}")
        machine.say(f"echo '{USER} ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/{USER}")
        machine.say('echo "127.0.0.1 localhost $(hostname)" > /etc/hosts')
        server = f"python3 -m http.server --bind 127.0.0.1 --directory /srv {PORT}"
        machine.say(f"systemd-run --quiet --unit=release {server}")

    def offer(self, version: str) -> None:
        """Have a release for download, made from this checkout."""
        content = packed(self._zips / "hearthwall.zip", version).read_bytes()
        self.machine.write("/srv/hearthwall.zip", content)

    def type(self, line: str) -> str:
        """Type a line of the README."""
        line = line.replace(DOWNLOADS, f"http://127.0.0.1:{PORT}").replace("'", "'\\''")
        home = f"cd /home/{USER} && {line}"
        return self.machine.say(f"runuser -u {USER} -- sh -c '{home}'", timeout=300)

    def install(self) -> None:
        """Install the sensor."""
        self.offer("1.0.0")
        for each in INSTALLING[:3]:
            self.type(each)
        self.before = self.footprint()
        self.told = [self.type(each) for each in INSTALLING[3:]]

    def footprint(self) -> list[str]:
        """Return all that can be seen of the machine."""
        files = self.machine.say(_FILES, timeout=300).splitlines()
        return [*files, *self.machine.run("python3", "-c", _KERNEL).stdout.splitlines()]

    def answer(self, *words: str) -> Any:
        """Return a command's document."""
        return json.loads(self.machine.run("hearthwall-sensor", *words, "--json").stdout)

    def property(self, name: str, unit: str = UNIT) -> str:
        """Return what systemd knows of a unit."""
        return self.machine.run("systemctl", "show", "--value", "-p", name, unit).stdout.strip()

    def is_up(self, seconds: float = 120) -> bool:
        """Return whether the unit comes up in time."""
        return self.machine.until(f"systemctl is-active {UNIT}", seconds)

    def reaches(self, device: str) -> bool:
        """Return whether a device reaches the internet."""
        ping = ("ip", "netns", "exec", device, "ping", "-c1", "-W3", INTERNET)
        return self.machine.run(*ping, check=False).returncode == 0

    def start_sink(self) -> None:
        """Count on the internet what arrives there, until it is asked."""
        code = f"from lab.sink import main; main(('{INTERNET}', {SINK}), 900)"
        self._python("sink", "internet", code)
        assert self.machine.until("grep -q listening /run/sink", 60)

    def sunk(self) -> int:
        """Return how much has arrived; the sink ends."""
        self.machine.say("systemctl stop sink")
        record = json.loads(self.machine.say("tail -n 1 /run/sink"))
        assert record["lost_here"] == 0
        return sum(each["count"] for each in record["streams"])

    def start_stream(self, rate: int) -> None:
        """Have the camera send numbered packets to the sink, until `stop_stream`."""
        how = f"rate={rate}, seconds=900, size=64, label=''"
        code = (
            f"from lab.sender import send; print(len(send(('{INTERNET}', {SINK}), {how}).sent_ns))"
        )
        self._python("stream", "camera", code)
        time.sleep(3)

    def stop_stream(self) -> int:
        """Return how much the camera has sent."""
        self.machine.say("systemctl stop stream")
        return int(self.machine.say("tail -n 1 /run/stream"))

    def _python(self, name: str, host: str, code: str) -> None:
        """Run Python on a host, as a unit that writes to a file of its name."""
        self.machine.run(
            *(
                "systemd-run",
                "--quiet",
                "--collect",
                f"--unit={name}",
                "-p",
                "WorkingDirectory=/opt",
            ),
            *("-p", f"StandardOutput=truncate:/run/{name}", "-p", "KillSignal=SIGTERM"),
            *("-p", f"ExecStartPre=-/bin/rm -f /run/{name}"),
            *("ip", "netns", "exec", host, "python3", "-c", code),
        )
