"""HTTP and what looks like it: the host of a request, and the name in a UPnP description."""

import pytest

from hearthwall_sensor.dissect.conversation import Conversation, Finding
from tests.unit.hellos import NAME, client_hello

UPLOAD, DOWNLOAD = 0, 1
DESCRIPTION = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/xml; charset=utf-8\r\n\r\n"
    b'<?xml version="1.0"?>\n<root xmlns="urn:schemas-upnp-org:device-1-0"><device>'
    b"<friendlyName> Anna&apos;s TV &#38; more </friendlyName></device></root>"
)


def asked(*lines: str, ports: tuple[int, int] = (50_000, 80)) -> Finding:
    """Return what is known of a request of these lines."""
    data = "\r\n".join((*lines, "", "")).encode("latin-1")
    return Conversation(6, *ports).take(UPLOAD, 0, data, len(data))


def answered(*pieces: bytes) -> list[Finding]:
    """Return what is known after each piece of a response."""
    conversation, at, found = Conversation(6, 50_000, 1400), 0, []
    for piece in pieces:
        found.append(conversation.take(DOWNLOAD, at, piece, len(piece)))
        at += len(piece)
    return found


def named(name: str | None) -> Finding:
    """Return what is known of a request for a host."""
    return Finding("http", name, "http" if name else None, more=True)


@pytest.mark.parametrize(
    ("lines", "name"),
    [
        (("GET / HTTP/1.1", "Host: Camera.Vendor.example"), "camera.vendor.example"),
        (("GET / HTTP/1.1", "User-Agent: x", "host:vendor.example:8080 "), "vendor.example"),
        (("POST /a HTTP/1.0", "HOST : vendor.example."), "vendor.example"),
        (("GET / HTTP/1.1", "Host: 192.0.2.1:8080"), None),
        (("GET / HTTP/1.1", "Host: [2001:db8::1]:8080"), None),
        (("GET / HTTP/1.1", "Host:"), None),
        (("GET / HTTP/1.0",), None),
        (("GET / HTTP/1.1", "Host: one.example", "Host: two.example"), "one.example"),
        (("GET http://Site.example/a?b HTTP/1.1", "Host: proxy.example"), "site.example"),
        (("GET http://user:word@site.example:81/ HTTP/1.1",), "site.example"),
        (("CONNECT site.example:443 HTTP/1.1", "Host: proxy.example"), "site.example"),
        (("CONNECT [2001:db8::1]:443 HTTP/1.1",), None),
        (("SUBSCRIBE /event HTTP/1.1", "HOST: speaker.local:1400"), "speaker.local"),
        (("PROPFIND / HTTP/1.1", "Host: cloud.example"), "cloud.example"),
        (("GET / HTTP/1.1", "X: a", " folded: on", "Host: b.example"), "b.example"),
        (("GET / HTTP/1.1", "Host: b\xe4d na\\me.example"), "b\\228d\\032na\\092me.example"),
    ],
)
def test_the_host_of_a_request(lines: tuple[str, ...], name: str | None) -> None:
    assert asked(*lines) == named(name)


def test_lines_may_end_without_a_carriage_return() -> None:
    data = b"GET / HTTP/1.1\nHost: old.example\n\n"
    assert Conversation(6, 1, 80).take(UPLOAD, 0, data, len(data)).name == "old.example"


def test_the_name_is_known_before_the_rest_has_come() -> None:
    data = b"GET /" + b"a" * 1400 + b" HTTP/1.1\r\nHost: a.example\r\nCookie: "
    assert Conversation(6, 1, 80).take(UPLOAD, 0, data, len(data)).name == "a.example"


def test_a_host_behind_the_headers_is_none() -> None:
    assert asked("POST / HTTP/1.1", "Length: 5", "", "Host: body.example").name is None


@pytest.mark.parametrize("line", ["no header", "Host\0: a.example", ": a.example"])
def test_what_is_no_header_is_malformed(line: str) -> None:
    finding = asked("GET / HTTP/1.1", line)
    assert (finding.application, finding.malformed) == ("http", "http")


@pytest.mark.parametrize(
    "data",
    [
        b"GET /index HTTQ/1.1\r\n",
        b"GET key\r\n",
        b"GET /" + b"a" * 5000,
        b"HTTP/1.1 99 odd\r\n",
        b"POST / HTTP/1.1 and more\r\n",
    ],
)
def test_what_begins_like_http_and_is_not(data: bytes) -> None:
    finding = Conversation(6, 1, 80).take(UPLOAD, 0, data, len(data))
    assert (finding.application, finding.malformed) == ("unknown", "http")


@pytest.mark.parametrize(
    "data", [b"GET", b"GET ", b"get / HTTP/1.1\r\n\r\n", b"GETS / HTTP/1.1\r\n"]
)
def test_near_misses_are_unknown(data: bytes) -> None:
    finding = Conversation(6, 1, 80).take(UPLOAD, 0, data, len(data))
    assert finding == Finding("unknown", more=True)


@pytest.mark.parametrize(
    ("line", "application"),
    [
        ("DESCRIBE rtsp://camera.local/live RTSP/1.0", "rtsp"),
        ("OPTIONS rtsp://camera.local:554 RTSP/1.0", "rtsp"),
        ("RTSP/1.0 200 OK", "rtsp"),
        ("REGISTER sip:example.org SIP/2.0", "sip"),
        ("SIP/2.0 100 Trying", "sip"),
        ("PRI * HTTP/2.0", "http"),
        ("HTTP/1.1 404 Not Found", "http"),
        ("HTTP/1.0 200", "http"),
    ],
)
def test_what_looks_like_http(line: str, application: str) -> None:
    finding = asked(line, "Host: not.this.example", ports=(50_000, 5_000))
    assert finding.application == application
    assert finding.name is None or application == "http"


def test_tls_inside_a_tunnel() -> None:
    request, hello = b"CONNECT proxied.example:443 HTTP/1.1\r\n\r\n", client_hello()
    conversation = Conversation(6, 50_000, 3128)
    first = conversation.take(UPLOAD, 0, request, len(request))
    assert first == Finding("http", "proxied.example", "http", more=True)
    finding = conversation.take(UPLOAD, len(request), hello, len(hello))
    assert finding == Finding("http", NAME.lower(), "tls")


def test_the_friendly_name_of_a_description() -> None:
    (finding,) = answered(DESCRIPTION)
    assert (finding.application, finding.friendly_name) == ("http", "Anna's TV & more")
    for size in (1, 7, 100):
        cut = [DESCRIPTION[at : at + size] for at in range(0, len(DESCRIPTION), size)]
        names = [each.friendly_name for each in answered(*cut)]
        assert [each for each in names if each] == ["Anna's TV & more"]  # said once


def test_the_friendly_name_is_said_to_the_direction_that_said_it() -> None:
    conversation = Conversation(6, 50_000, 1400)
    conversation.take(DOWNLOAD, 0, DESCRIPTION, len(DESCRIPTION))
    data = b"GET / HTTP/1.1\r\nHost: tv.local\r\n\r\n"
    finding = conversation.take(UPLOAD, 0, data, len(data))
    assert finding == Finding("http", "tv.local", "http")


@pytest.mark.parametrize(
    "data",
    [
        DESCRIPTION.replace(b"text/xml", b"text/html"),
        DESCRIPTION.replace(b"200 OK", b"404 Not Found"),
        DESCRIPTION.replace(b"<friendlyName>", b"<friendlyName>" + b"a" * 300),
        DESCRIPTION.replace(b"<friendlyName>", b" " * 5000 + b"<friendlyName>"),
        DESCRIPTION.replace(b"</friendlyName>", b"<b>x</b></friendlyName>"),
        DESCRIPTION.replace(b" Anna&apos;s TV &#38; more ", b" \t&#7;\x01 "),
    ],
)
def test_no_friendly_name_where_there_is_none(data: bytes) -> None:
    assert [each.friendly_name for each in answered(data)] == [None]


def test_a_friendly_name_can_be_printed_and_has_an_end() -> None:
    data = DESCRIPTION.replace(b"Anna", b"\x1b[31m&#xd800;&#27;\xe2\x80\xae" + b"a" * 100)
    name = answered(data)[0].friendly_name
    assert name is not None
    assert name.isprintable()
    assert len(name) == 64
