"""Real clients on the lab's devices, and the servers that the lab's internet lacks."""

import select
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from lab import Lab
from lab.home import DNS, Site

HTTP3 = Path(__file__).with_name("http3.py")
_RESOLV = f"nameserver {DNS.ipv4}\noptions timeout:1 attempts:2\n"


def resolving(folder: Path, argv: Sequence[str]) -> list[str]:
    """Return a command line whose names are looked up in the lab's DNS, by the system's resolver."""
    settings = folder / "resolv.conf"
    settings.write_text(_RESOLV)
    script = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'
    return ["unshare", "--mount", "sh", "-c", script, str(settings), *argv]


def run(lab: Lab, host: str, argv: Sequence[str], seconds: float = 20) -> str:
    """Run a client to its end and return what it printed; raises RuntimeError where it failed."""
    done = lab.run(host, argv, timeout=seconds)
    if done.returncode:
        raise RuntimeError(f"{' '.join(argv)}: {done.stdout}{done.stderr}")
    return done.stdout


def curl(lab: Lab, host: str, folder: Path, *arguments: str) -> str:
    """Fetch something as a user would, by name."""
    certificate = str(lab.run_directory.certificate)
    line = ["curl", "--silent", "--show-error", "--max-time", "10", "--cacert", certificate]
    return run(lab, host, resolving(folder, [*line, "--output", "/dev/null", *arguments]))


@contextmanager
def serving(lab: Lab, host: str, argv: Sequence[str], ready: str) -> Iterator[None]:
    """Have a server on a host while the context lasts; it is ready when it has said so."""
    with subprocess.Popen(
        lab.argv(host, argv),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        try:
            _wait(process, ready)
            yield
        finally:
            process.terminate()
            try:
                process.communicate(timeout=5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()


def _wait(process: subprocess.Popen[bytes], ready: str) -> None:
    assert process.stdout is not None
    said = b""
    deadline = time.monotonic() + 10
    while ready.encode() not in said:
        left = deadline - time.monotonic()
        if left < 0 or not select.select([process.stdout], [], [], left)[0]:
            raise RuntimeError(f"{process.args!r} is not ready: {said.decode()}")
        piece = process.stdout.read1(4096)  # type: ignore[union-attr]
        if not piece:
            raise RuntimeError(f"{process.args!r} ended: {said.decode()}")
        said += piece


def http3_server(lab: Lab, site: Site) -> Sequence[str]:
    """Return the command line of a site's server for HTTP/3, which says `ready`."""
    files = map(str, (lab.run_directory.certificate, lab.run_directory.key))
    return [sys.executable, str(HTTP3), "serve", *files, *map(str, site.addresses)]


def http3_get(lab: Lab, host: str, *pages: str) -> str:
    """Fetch pages over HTTP/3: `ADDRESS,NAME,VERSION,LENGTH` as http3.py has them."""
    return run(lab, host, [sys.executable, str(HTTP3), "get", *pages])
