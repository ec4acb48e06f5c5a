"""What of a device gets through, proved with packets counted at the far end."""

import asyncio
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from demo.errors import DemoError
from lab import DEVICES, Lab, tools
from lab.home import WEB

#: Datagrams each way in a second's time, and echo requests.
DATAGRAMS: Final = 100
PINGS: Final = 5
#: The device's own end of what comes from the internet.
PORT: Final = 5005
LISTEN_SECONDS: Final = 10
#: A busy machine may lose a few, and still nothing is cut off.
ENOUGH: Final = 0.9
#: The open connection's pace, in bytes per second, and how long it would last.
PACE: Final = 50_000
PACE_SECONDS: Final = 600


@dataclass(frozen=True, slots=True)
class Reach:
    """What got through within one look."""

    uploaded: int
    downloaded: int
    answered: int
    transferred: int

    @property
    def connected(self) -> bool:
        """Whether everything gets through."""
        return (
            min(self.uploaded, self.downloaded) >= ENOUGH * DATAGRAMS
            and self.answered > 0
            and self.transferred > 0
        )

    @property
    def cut_off(self) -> bool:
        """Whether nothing does."""
        return not (self.uploaded or self.downloaded or self.answered or self.transferred)

    def __str__(self) -> str:
        return (
            f"{self.uploaded}/{DATAGRAMS} datagrams out, {self.downloaded}/{DATAGRAMS} in,"
            f" {self.answered}/{PINGS} pings, {self.transferred // 1000} kB of the open transfer"
        )


class Witness:
    """A device with an open TCP transfer, looked at from both of its ends."""

    def __init__(self, lab: Lab, host: str, transfer: Path) -> None:
        self._lab = lab
        self._host = host
        self._transfer = transfer

    async def look(self) -> Reach:
        """Send in both directions for a second, ping, and watch the transfer, all at once."""
        before = self.transferred
        uploaded, downloaded, answered = await asyncio.gather(
            asyncio.to_thread(self._upload),
            asyncio.to_thread(self._download),
            asyncio.to_thread(self._ping),
        )
        return Reach(uploaded, downloaded, answered, self.transferred - before)

    @property
    def transferred(self) -> int:
        """Return how many bytes of the transfer the device has."""
        return self._transfer.stat().st_size if self._transfer.exists() else 0

    def _upload(self) -> int:
        """Send from the device; return how many the internet's server counts."""
        before = self._counted()
        self._call(self._lab.command("send", "--from", self._host, *_PACE))
        return self._counted() - before

    def _counted(self) -> int:
        streams = self._lab.sink()["streams"]
        return sum(each["count"] for each in streams if each["label"] == self._host)

    def _download(self) -> int:
        """Send from the internet; return how many the device counts."""
        there = f"[{DEVICES[self._host].ipv6}]:{PORT}"
        seconds = ("--seconds", str(LISTEN_SECONDS))
        argv = self._lab.command("sink", "--on", self._host, "--listen", there, *seconds)
        with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as sink:
            try:
                if sink.stdout is None or sink.stdout.readline().strip() != "listening":
                    raise DemoError(f"The {self._host} cannot listen on {there}.")
                self._call(self._lab.command("send", "--from", "internet", "--to", there, *_PACE))
            finally:
                sink.terminate()
            record = json.loads(sink.stdout.read())
        return sum(each["count"] for each in record["streams"])

    def _ping(self) -> int:
        """Return how many echo requests are answered."""
        done = self._lab.run(
            self._host, [_PING, "-q", "-c", str(PINGS), "-i", "0.2", "-W", "1", WEB.ipv4]
        )
        for line in done.stdout.splitlines():
            if "packets transmitted" in line:
                return int(line.split(",")[1].split()[0])
        raise DemoError(f"ping says on the {self._host}: {done.stderr.strip()}")

    @staticmethod
    def _call(argv: list[str]) -> None:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
        if done.returncode:
            raise DemoError(f"{' '.join(argv)} failed: {done.stderr.strip()}")


_PING: Final = "/usr/bin/ping"
_PACE: Final = ("--rate", str(DATAGRAMS), "--seconds", "1")


@contextmanager
def witness(lab: Lab, host: str, folder: Path) -> Iterator[Witness]:
    """Open the device's transfer for as long as it is looked at."""
    target = folder / f"transfer-{host}"
    url = f"http://{WEB.ipv4}/pace?rate={PACE}&seconds={PACE_SECONDS}"
    curl = [tools.find("curl"), "--silent", "--no-buffer", "--output", str(target), url]
    with subprocess.Popen(lab.argv(host, curl), stdin=subprocess.DEVNULL) as process:
        try:
            yield Witness(lab, host, target)
        finally:
            process.terminate()
