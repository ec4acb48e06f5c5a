"""Getting lists from real servers on loopback, friendly and hostile ones."""

import gzip
import os
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import pytest_socket

from hearthwall_sensor.feeds import fetch, source as sources
from hearthwall_sensor.protocol import SensorError

LIST = b"203.0.113.7\n"


@pytest.fixture(autouse=True)
def _sockets() -> None:
    """Let the tests talk to their servers: the plugin for Home Assistant guards every connect."""
    pytest_socket._remove_restrictions()


Answer = Callable[[BaseHTTPRequestHandler], None]


class Server:
    """A server whose pages are functions, and which remembers what it was asked."""

    def __init__(self) -> None:
        self.pages: dict[str, Answer] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append((self.path, dict(self.headers)))
                outer.pages[self.path.partition("?")[0]](self)

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = False  # closing waits for them
        self._thread = threading.Thread(target=self.http.serve_forever, args=(0.05,))
        self._thread.start()

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()
        self._thread.join()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.http.server_port}{path}"


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


def page(body: bytes = LIST, status: int = 200, **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        fields = {name.replace("_", "-"): text for name, text in headers.items()}
        for name, text in ({"Content-Length": str(len(body))} | fields).items():
            handler.send_header(name, text)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def get(
    url: str, *, header: Path | None = None, seconds: float = 10, **validators: str
) -> bytes | None:
    known = {name.replace("_", "-"): text for name, text in validators.items()}
    found = fetch.fetch(url, None if header is None else str(header), known, seconds)
    return None if found is None else found.body.read()


def refused(url: str, **options: object) -> str:
    with pytest.raises(SensorError) as error:
        get(url, **options)  # type: ignore[arg-type]
    assert error.value.code in ("feed_failed", "unsafe_files", "invalid_feed")
    return error.value.message


def test_a_list_that_has_not_changed_is_not_sent_again(server: Server) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        same = handler.headers.get("If-None-Match") == '"v1"'
        page(
            b"" if same else LIST,
            304 if same else 200,
            ETag='"v1"',
            Last_Modified="Mon, 01 Jan 2026 00:00:00 GMT",
        )(handler)

    server.pages["/list"] = answer
    found = fetch.fetch(server.url("/list"), None, {})
    assert found is not None
    assert found.body.read() == LIST
    assert found.validators == {"ETag": '"v1"', "Last-Modified": "Mon, 01 Jan 2026 00:00:00 GMT"}
    assert fetch.fetch(server.url("/list"), None, found.validators) is None
    assert server.asked[1][1]["If-Modified-Since"] == "Mon, 01 Jan 2026 00:00:00 GMT"
    assert server.asked[0][1]["User-Agent"].startswith("hearthwall/")


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "wants a key"),
        (403, "--header-file"),
        (404, "no list"),
        (410, "no longer"),
        (429, "too often"),
        (503, "again later"),
        (418, "418"),
    ],
)
def test_a_refusal_says_what_to_do(server: Server, status: int, words: str) -> None:
    server.pages["/list"] = page(b"no", status)
    assert words in refused(server.url("/list"))


def test_a_web_page_is_no_list(server: Server) -> None:
    server.pages["/list"] = page(b"\n <!DOCTYPE html><html>203.0.113.7</html>")
    assert "web page" in refused(server.url("/list"))
    server.pages["/list"] = page(b" \n")
    assert "empty" in refused(server.url("/list"))


def test_a_packed_list_is_unpacked(server: Server) -> None:
    server.pages["/list"] = page(gzip.compress(LIST), Content_Encoding="gzip")
    server.pages["/list.gz"] = page(gzip.compress(LIST) + gzip.compress(LIST))
    assert get(server.url("/list")) == LIST
    assert get(server.url("/list.gz")) == LIST * 2
    server.pages["/list"] = page(gzip.compress(LIST * 100)[:-20], Content_Encoding="gzip")
    assert "cut off" in refused(server.url("/list"))
    server.pages["/list"] = page(LIST, Content_Encoding="br")
    assert "not asked for" in refused(server.url("/list"))
    server.pages["/list"] = page(b"\x1f\x8bnonsense" * 9)
    assert "damaged" in refused(server.url("/list"))


def test_neither_a_bomb_nor_a_torrent_fills_the_memory(server: Server) -> None:
    server.pages["/bomb"] = page(gzip.compress(bytes(300 << 20), 9))
    before = time.process_time()
    assert "larger than 32 MB" in refused(server.url("/bomb"))
    server.pages["/members"] = page(gzip.compress(b"") * 200_000)
    assert "cut off" in refused(server.url("/members"))
    assert time.process_time() - before < 5

    sent = 0

    def torrent(handler: BaseHTTPRequestHandler) -> None:
        nonlocal sent
        handler.send_response(200)
        handler.end_headers()
        try:
            while sent < 1 << 30:
                sent += handler.wfile.write(b"203.0.113.7\n" * 10_000)
        except ConnectionError:
            pass

    server.pages["/torrent"] = torrent
    assert "larger than 32 MB" in refused(server.url("/torrent"))
    assert sent < 64 << 20


def test_a_body_that_is_cut_off_is_no_list(server: Server) -> None:
    server.pages["/list"] = page(LIST, Content_Length="5000")
    assert "cut off" in refused(server.url("/list"))


def test_a_server_that_dawdles_is_given_up(server: Server) -> None:
    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        try:
            for _ in range(100):
                handler.wfile.write(b"203.0.113.7\n")
                handler.wfile.flush()
                time.sleep(0.05)
        except ConnectionError:
            pass

    server.pages["/list"] = drip
    before = time.monotonic()
    assert "within 1 s" in refused(server.url("/list"), seconds=1)
    assert time.monotonic() - before < 3


def test_nobody_at_home(server: Server) -> None:
    assert "can't be reached" in refused("http://127.0.0.1:1/list?key=secret")
    assert "secret" not in refused("http://127.0.0.1:1/list?key=secret")


def test_redirects_are_followed_five_times(server: Server) -> None:
    for number in range(7):
        server.pages[f"/{number}"] = page(b"", 302, Location=f"/{number - 1}")
    server.pages["/0"] = page()
    assert get(server.url("/5")) == LIST
    assert "more than 5" in refused(server.url("/6"))


@pytest.mark.parametrize(
    "location", ["", "ftp://lists.example/", "file:///etc/passwd", "//[", "http://u:p@127.0.0.1/"]
)
def test_a_redirect_leads_to_the_web_or_nowhere(server: Server, location: str) -> None:
    server.pages["/list"] = page(b"", 302, Location=location)
    assert refused(server.url("/list"))


@pytest.mark.parametrize(
    ("before", "location", "words"),
    [
        ("https://lists.example/", "http://lists.example/x", "from https"),
        ("https://lists.example/", "https://192.168.1.1/reboot", "into this home"),
        ("http://lists.example/", "http://localhost/", "into this home"),
        ("http://lists.example/", "http://[::1]/", "into this home"),
    ],
)
def test_a_redirect_neither_drops_the_lock_nor_leads_into_the_home(
    before: str, location: str, words: str
) -> None:
    with pytest.raises(SensorError, match=words):
        fetch._redirected(before, location)


def key_for(server: Server, folder: Path) -> Path:
    """Return a header's file that lets this server have it."""
    return secret(folder, f"Auth-Key: s3cret\n{server.url('')}\n")


def secret(
    folder: Path, text: str = "Auth-Key: s3cret\nhttps://a.example/\n", mode: int = 0o600
) -> Path:
    path = folder / "key.header"
    path.write_text(text)
    path.chmod(mode)
    return path


def test_a_secret_goes_to_its_own_origin_only(server: Server, tmp_path: Path) -> None:
    other = Server()
    other.pages["/there"] = page()
    server.pages["/list"] = page(b"", 302, Location=other.url("/there"))
    server.pages["/moved"] = page(b"", 302, Location="/same")
    server.pages["/same"] = page()
    assert get(server.url("/list"), header=key_for(server, tmp_path)) == LIST
    assert server.asked[0][1]["Auth-Key"] == "s3cret"
    assert "Auth-Key" not in other.asked[0][1]
    assert get(server.url("/moved"), header=key_for(server, tmp_path)) == LIST
    assert server.asked[2][1]["Auth-Key"] == "s3cret"
    other.close()


def test_a_secret_that_is_for_one_server_is_not_sent_to_another(
    server: Server, tmp_path: Path
) -> None:
    server.pages["/list"] = page()
    path = secret(tmp_path, "Auth-Key: s3cret\nhttps://lists.example/\n")
    assert "another server" in refused(server.url("/list"), header=path)
    assert server.asked == []
    path = secret(tmp_path, f"Auth-Key: s3cret\n{server.url('')}\n")
    assert get(server.url("/list"), header=path) == LIST


def test_a_secret_that_is_for_no_server_is_sent_nowhere(server: Server, tmp_path: Path) -> None:
    """Who may order a feed may name any header's file, and a server of their own."""
    server.pages["/list"] = page()
    for text in ("Auth-Key: s3cret", "Auth-Key: s3cret\n", "Auth-Key: s3cret\n \n"):
        said = refused(server.url("/list"), header=secret(tmp_path, text))
        assert "second line" in said
        assert "s3cret" not in said
    assert server.asked == []


def test_a_key_that_is_refused_is_not_repeated(server: Server, tmp_path: Path) -> None:
    server.pages["/list"] = page(b"no", 401)
    said = refused(server.url("/list"), header=key_for(server, tmp_path))
    assert "refused the key" in said
    assert "s3cret" not in said
    assert "s3cret" not in repr(sources.read_header(secret(tmp_path)))


@pytest.mark.parametrize(
    "text", ["", "s3cret\n", "Auth Key: x\n", "Auth-Key:\n", "Auth-Key: x\x01y\n", ": x\n"]
)
def test_a_header_file_that_holds_no_header(server: Server, tmp_path: Path, text: str) -> None:
    said = refused(server.url("/list"), header=secret(tmp_path, text))
    assert "Name: value" in said
    assert "s3cret" not in said


def test_a_header_file_that_others_may_read_is_not_used(server: Server, tmp_path: Path) -> None:
    assert "600" in refused(server.url("/list"), header=secret(tmp_path, mode=0o640))
    link = tmp_path / "link.header"
    link.symlink_to(secret(tmp_path))
    assert "can't be read" in refused(server.url("/list"), header=link)
    os.mkfifo(tmp_path / "fifo.header", 0o600)
    assert "600" in refused(server.url("/list"), header=tmp_path / "fifo.header")


def test_a_file_is_read_when_it_has_changed(tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_bytes(LIST)
    found = fetch.fetch(str(path), None, {})
    assert found is not None
    assert found.body.read() == LIST
    assert fetch.fetch(f"file://{path}", None, found.validators) is None
    path.write_bytes(LIST * 2)
    assert fetch.fetch(str(path), None, found.validators) is not None


def test_what_is_no_file_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path in ("/dev/zero", str(tmp_path / "fifo"), str(tmp_path), str(tmp_path / "none")):
        assert path in refused(path)
    with (tmp_path / "large").open("wb") as file:
        file.truncate(33 << 20)
    assert "larger" in refused(str(tmp_path / "large"))


def test_only_what_all_may_read_is_quoted(tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_bytes(LIST)
    path.chmod(0o644)
    for each, may_be in (
        (path, False),  # pytest's folders are their owner's alone
        (Path("/etc/passwd"), True),
        (Path("/etc/shadow"), False),
    ):
        with each.open("rb") as file:
            assert sources.is_public(file) is may_be


def test_a_link_that_leads_elsewhere_by_now_makes_nothing_public(tmp_path: Path) -> None:
    """Who owns the link swaps it between the reading and the question whether that may be quoted."""
    link = tmp_path / "list"
    link.symlink_to("/etc/shadow")
    with link.open("rb") as file:
        link.unlink()
        link.symlink_to("/etc/passwd")
        assert not sources.is_public(file)


def test_a_listing_does_not_tell_what_may_be_a_key() -> None:
    assert sources.shown("https://lists.example/a?key=secret#x") == "https://lists.example/a?…"
    assert sources.shown("https://lists.example/a#secret") == "https://lists.example/a"
    assert sources.shown("/etc/what?.txt") == "/etc/what?.txt"
