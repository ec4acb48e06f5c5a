"""Homes' metrics scraped by a real Prometheus: its CPU, memory and disk for each sample."""

import contextlib
import gzip
import http.server
import json
import re
import shutil
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from bench.cpu import of_process
from bench.figures import Figure
from bench.network import Namespace
from bench.running import running

_INTERVAL: Final = 5
#: A counter's line in the classic format: what goes on growing.
_COUNTER: Final = re.compile(rb"(?m)^(\w+_total(?:\{[^}]*\})?) ([0-9.e+]+)$")
#: What Prometheus takes to come up, and to take what it has scraped into its log.
_SETTLES: Final = 6.0


def measure(folder: Path, homes: int, seconds: float) -> list[Figure]:
    """Return the figures: what a home's metrics are, and what so many homes cost a Prometheus."""
    body = _body(folder)
    figures = [
        Figure("a home's series, devices not named", _series(body), "series"),
        Figure("a scrape of it", len(body), "bytes"),
        Figure("the same packed by gzip", len(gzip.compress(body)), "bytes"),
    ]
    with _homes(body) as port, _prometheus(folder, port, homes) as (pid, server):
        time.sleep(_SETTLES)
        before = _scraped(server), of_process(pid), time.monotonic()
        time.sleep(seconds)
        samples = _scraped(server) - before[0]
        spent, lasted = of_process(pid) - before[1], time.monotonic() - before[2]
        resident = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096
        in_memory = _value(server, "prometheus_tsdb_head_series")
    log = sum(each.stat().st_size for each in (folder / "data" / "wal").glob("0*"))
    total = _series(body) * homes
    if in_memory < total:
        raise AssertionError(f"only {in_memory:.0f} of {total} series came in")
    return [
        *figures,
        Figure(
            f"{homes} homes every {_INTERVAL} s: samples a second",
            round(samples / lasted),
            "samples",
        ),
        Figure("CPU for each sample", round(spent / samples / 1e3, 2), "µs"),
        Figure("resident memory for each series", round(resident / in_memory), "bytes"),
        Figure(
            "write-ahead log for each sample",
            round(log / _scraped_at_end(samples, seconds), 1),
            "bytes",
        ),
    ]


def _scraped_at_end(samples: float, seconds: float) -> float:
    """Return how many samples the log holds: it also has those from before the measured time."""
    return samples * (seconds + _SETTLES) / seconds


def _body(folder: Path) -> bytes:
    """Return what a real sensor answers to a scrape, on a gateway whose home is quiet."""
    host = Namespace("home")
    host.ip("link add lan type veth peer name device", "link set lan up", "link set device up")
    with running(host, "lan", folder / "sensor", "--cgroup", "none") as sensor:
        text: str = sensor.ask("metrics", "--classic")["text"]
    return text.encode()


def _series(body: bytes) -> int:
    """Return how many series there are in an answer."""
    return sum(bool(line) and not line.startswith(b"#") for line in body.splitlines())


@contextlib.contextmanager
def _homes(body: bytes) -> Iterator[int]:
    """Answer scrapes for every home, each with counters that grow; yield the port."""
    begun = time.monotonic()

    class Handler(http.server.BaseHTTPRequestHandler):
        """One scrape."""

        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            """Answer."""
            grown = round((time.monotonic() - begun) * (7 + hash(self.path) % 50))
            text = _COUNTER.sub(lambda found: b"%s %d" % (found[1], grown), body)
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


@contextlib.contextmanager
def _prometheus(folder: Path, port: int, homes: int) -> Iterator[tuple[int, str]]:
    """Run a Prometheus that scrapes so many homes; yield its process and its address."""
    jobs = [
        {"job_name": f"home-{number}", "metrics_path": f"/home/{number}"} for number in range(homes)
    ]
    settings = {
        "global": {"scrape_interval": f"{_INTERVAL}s", "scrape_timeout": f"{_INTERVAL}s"},
        "scrape_configs": [
            each | {"static_configs": [{"targets": [f"127.0.0.1:{port}"]}]} for each in jobs
        ],
    }
    (folder / "prometheus.yml").write_text(json.dumps(settings))  # JSON is YAML
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        server = f"127.0.0.1:{free.getsockname()[1]}"
    program = shutil.which("prometheus")
    if program is None:
        raise FileNotFoundError("prometheus: apt-get install prometheus")
    line = [program, f"--config.file={folder / 'prometheus.yml'}", f"--web.listen-address={server}"]
    line += [f"--storage.tsdb.path={folder / 'data'}", "--log.level=error"]
    with subprocess.Popen(line, cwd=folder, stderr=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + 30
            while not _answers(server):
                if time.monotonic() > deadline:
                    raise TimeoutError("prometheus did not come up")
                time.sleep(0.2)
            yield process.pid, server
        finally:
            process.terminate()


def _answers(server: str) -> bool:
    """Return whether Prometheus is ready."""
    try:
        urllib.request.urlopen(f"http://{server}/-/ready", timeout=1).close()
    except OSError:
        return False
    return True


def _value(server: str, name: str) -> float:
    """Return a metric of Prometheus' own."""
    with urllib.request.urlopen(f"http://{server}/metrics", timeout=10) as answer:
        text: Any = answer.read().decode()
    found = re.search(rf"(?m)^{name} (\S+)$", text)
    if found is None:
        raise LookupError(f"Prometheus does not tell {name}")
    return float(found[1])


def _scraped(server: str) -> float:
    """Return how many samples were stored."""
    with urllib.request.urlopen(f"http://{server}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    return sum(
        float(value)
        for value in re.findall(
            r'(?m)^prometheus_tsdb_head_samples_appended_total(?:\{type="float"\})? (\S+)$', text
        )
    )
