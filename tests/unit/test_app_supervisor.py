"""The app's key to the Supervisor, which is told to nobody else: by no redirection, and through no proxy."""

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import pytest_socket

from tests.unit.app import supervisor


class Listener(http.server.BaseHTTPRequestHandler):
    """Notes who is asked with which key, and sends them on."""

    server: Web

    def do_POST(self) -> None:
        self.server.came.append((self.path, self.headers["Authorization"]))
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(self.server.status)
        if self.server.leads_to is not None:
            self.send_header("Location", self.server.leads_to)
        self.end_headers()

    def do_GET(self) -> None:
        self.server.came.append((self.path, self.headers["Authorization"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Web(http.server.HTTPServer):
    """A server of this host."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Listener)
        self.came: list[tuple[str, str | None]] = []
        self.status = 200
        self.leads_to: str | None = None
        self.url = f"http://127.0.0.1:{self.server_port}"


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Web, Web]]:
    """What stands for the Supervisor, and somebody else."""
    pytest_socket._remove_restrictions()
    both = Web(), Web()
    monkeypatch.setattr(supervisor, "DISCOVERY", f"{both[0].url}/discovery")
    for each in both:
        threading.Thread(target=each.serve_forever, args=(0.01,), daemon=True).start()
    yield both
    for each in both:
        each.shutdown()
        each.server_close()


def post(folder: Path) -> None:
    """Tell the Supervisor something."""
    supervisor.Supervisor(folder, "127.0.0.1:8447", "k3y")._post({"service": "hearthwall"})


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirection_is_a_failure(servers: tuple[Web, Web], tmp_path: Path, status: int) -> None:
    asked, other = servers
    asked.status, asked.leads_to = status, f"{other.url}/"
    with pytest.raises(OSError, match=str(status)):
        post(tmp_path)
    assert asked.came == [("/discovery", "Bearer k3y")]
    assert other.came == []


def test_no_proxy_is_told(
    servers: tuple[Web, Web], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, other = servers
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", other.url)
    post(tmp_path)
    assert asked.came == [("/discovery", "Bearer k3y")]
    assert other.came == []
