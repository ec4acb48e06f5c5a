"""Records what passes an interface of the lab."""

import select
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from lab import Lab
from lab.home import DEVICES

_START_SECONDS = 10.0
#: dumpcap hands over what the kernel gathered for it within a quarter of a second.
_REST_SECONDS = {".pcap": 0.05, ".pcapng": 0.3}
#: For each packet the kernel keeps room for the longest one: 4096 bytes of 16 MiB.
_ROOM = ("-s", "4096", "-B", "16384")


def _line(path: Path, interface: str, options: Sequence[str]) -> tuple[list[str], str]:
    """Return the recorder's command line, and what it says when it is ready."""
    if path.suffix == ".pcapng":
        return ["dumpcap", "-q", "-i", interface, "-w", str(path), *options], "File:"
    line = ["tcpdump", "-U", "--immediate-mode", *_ROOM, "-Z", "root", "-i", interface]
    return [*line, "-w", str(path), *options], "listening on"


@contextmanager
def record(
    lab: Lab, path: Path, interface: str, host: str = "gateway", options: Sequence[str] = ()
) -> Iterator[None]:
    """Record into a file while the context lasts: tcpdump writes .pcap, dumpcap .pcapng.

    Without offloads every packet is one that a wire would carry.
    """
    for device in DEVICES:
        lab.set_offload(device, False)
    line, ready = _line(path, interface, options)
    with subprocess.Popen(
        lab.argv(host, line), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        try:
            _wait(process, ready)
            yield
            time.sleep(_REST_SECONDS[path.suffix])
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=10)


def _wait(process: subprocess.Popen[bytes], ready: str) -> None:
    """Wait until the process has said so; raises RuntimeError."""
    assert process.stderr is not None
    said = b""
    deadline = time.monotonic() + _START_SECONDS
    while ready.encode() not in said:
        left = deadline - time.monotonic()
        if left < 0 or not select.select([process.stderr], [], [], left)[0]:
            raise RuntimeError(f"{process.args!r} is not ready: {said.decode()}")
        piece = process.stderr.read1(4096)  # type: ignore[union-attr]
        if not piece:
            raise RuntimeError(f"{process.args!r} ended: {said.decode()}")
        said += piece
