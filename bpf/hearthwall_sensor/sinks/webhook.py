"""A sink that posts each event as JSON to an http(s) address: alerts on a phone, in a chat, or to one's own program."""

import asyncio
import email.utils
import hashlib
import hmac
import json
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import SplitResult, urlsplit

from .. import __version__
from ..feeds.source import may_carry_secret
from ..protocol import Event
from ..words.cells import clean
from . import words
from .secret import read_secret
from .sink import RefusedError, SinkContext, SinkError
from .table import Table
from .tls import Trust, reason

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession

#: Longest message that is posted; what is too much of the evidence is left out.
MAX_BODY_BYTES: Final = 64 * 1024
MAX_FIELDS: Final = 16
_LONGEST_URL: Final = 2000
_LONGEST_PAUSE: Final = 3600.0
PRIORITIES: Final[Mapping[str, int]] = {"info": 1, "low": 2, "medium": 3, "high": 4, "critical": 5}
#: What each message has; `fields` can't set it.
SHAPE: Final = ("title", "message", "text", "priority", "sensor", "event")
#: Statuses that say something of the address or the token and nothing of the event, which waits until that is mended.
MENDABLE: Final[Mapping[int, str]] = {
    401: "it wants a token (token_file), or another one",
    403: "it refuses the token, or this gateway",
    404: "it has nothing at this path",
    405: "it takes no POST at this path",
    407: "a proxy wants a password",
    410: "it has nothing at this path any more",
}
#: Other statuses of the 4xx that ask for the same once more.
AGAIN: Final = (408, 425, 429)


@dataclass(frozen=True, slots=True)
class WebhookOptions:
    """One address, what goes along, and whom to trust there."""

    url: str | None = field(repr=False)
    url_file: Path | None
    token_file: Path | None
    secret_file: Path | None
    fields: Mapping[str, str | int | float | bool] = field(repr=False)
    timeout: float
    trust: Trust

    @classmethod
    def read(cls, table: Table) -> "WebhookOptions":
        """Take the options; raises SensorError."""
        url = table.optional("url", longest=_LONGEST_URL)
        url_file = table.optional_path("url_file")
        if (url is None) == (url_file is None):
            table.fail("write url, or url_file where the address is a secret")
        options = cls(
            url=url,
            url_file=url_file,
            token_file=table.optional_path("token_file"),
            secret_file=table.optional_path("secret_file"),
            fields=table.plain("fields", MAX_FIELDS),
            timeout=table.number("timeout", 10.0, 1, 30),
            trust=Trust.read(table),
        )
        if taken := set(options.fields) & set(SHAPE):
            table.fail(f"fields can't have {min(taken)!r}: each message has it")
        if url is not None and (wrong := _wrong(url, options)):
            table.fail(wrong)
        return options


def _wrong(url: str, options: WebhookOptions) -> str | None:
    """Return what is wrong with an address, without telling it."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018, raises where it is no number
    except ValueError:
        parts = urlsplit("")
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or not url.isprintable()
        or " " in url
    ):
        return "url is an http:// or https:// address"
    if "@" in parts.netloc:
        return "url has no password in it: use token_file"
    if options.token_file is not None and not may_carry_secret(parts):
        return "a token is a secret, so it goes to https:// addresses only, or to this host"
    return None


class WebhookSink:
    """Posts one event after the other."""

    def __init__(self, options: WebhookOptions, context: SinkContext) -> None:
        """Take the options, and what is known of the sensor."""
        self._options = options
        self._context = context
        self._session: ClientSession | None = None
        self._url = ""
        self._secret: bytes | None = None

    async def start(self) -> None:
        """Read the secrets, and see whether the receiver is there: it is asked nothing. Raises SinkError."""
        import aiohttp

        await self.close()
        options = self._options
        self._url = options.url or read_secret(_named(options.url_file))
        if wrong := _wrong(self._url, options):
            raise SinkError(wrong if options.url else f"{options.url_file}: {wrong}")
        headers = {"User-Agent": f"hearthwall/{__version__}", "Content-Type": "application/json"}
        if options.token_file is not None:
            headers["Authorization"] = f"Bearer {_header(options.token_file)}"
        if options.secret_file is not None:
            self._secret = read_secret(options.secret_file).encode()
        tls = options.trust.context()
        await self._look(tls)
        self._context.reached()
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=tls, limit=1),
            timeout=aiohttp.ClientTimeout(total=options.timeout),
            headers=headers,
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def send(self, events: Sequence[Event]) -> None:
        """Post each event."""
        for number, event in enumerate(events, 1):
            await self._post(event)
            self._context.took(number)

    async def close(self) -> None:
        """Let go of the connection."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _look(self, tls: ssl.SSLContext) -> None:
        """Connect to the receiver and part again; raises SinkError."""
        parts = urlsplit(self._url)
        is_tls = parts.scheme == "https"
        try:
            async with asyncio.timeout(self._options.timeout):
                _, writer = await asyncio.open_connection(
                    parts.hostname,
                    parts.port or (443 if is_tls else 80),
                    ssl=tls if is_tls else None,
                )
            writer.transport.abort()
        except (OSError, ValueError) as error:
            raise SinkError(f"{shown(self._url)}: {reason(error)}") from None

    async def _post(self, event: Event) -> None:
        """Post one event."""
        import aiohttp
        from yarl import URL

        if self._session is None:
            raise SinkError("it is not ready")
        body = message(event, self._context, self._options.fields)
        try:
            async with self._session.post(
                URL(self._url),
                data=body,
                headers=self._signed(event, body),
                allow_redirects=False,
            ) as response:
                _judge(response)
        except (
            aiohttp.ClientError,
            OSError,
            ValueError,
        ) as error:  # their texts may hold the address
            raise SinkError(f"{shown(self._url)}: {_reason(error)}") from None

    def _signed(self, event: Event, body: bytes) -> dict[str, str]:
        """Return the headers that name and sign a message."""
        headers = {"X-Hearthwall-Delivery": f"{self._context.sensor_id}-{event.seq}"}
        if self._secret is not None:
            stamp = str(int(time.time()))
            digest = hmac.new(self._secret, stamp.encode() + b"." + body, hashlib.sha256)
            headers["X-Hearthwall-Timestamp"] = stamp
            headers["X-Hearthwall-Signature"] = f"sha256={digest.hexdigest()}"
        return headers


def message(
    event: Event, context: SinkContext, fields: Mapping[str, str | int | float | bool]
) -> bytes:
    """Return what is posted for an event; of one that is too large the evidence is left out."""
    title, said = words.headline(event), words.brief(event, words.called(context))
    wire: dict[str, Any] = {
        **fields,
        "title": title,
        "message": f"{words.cut(clean(event.summary), words.LONGEST_EVENT)}\n{said}",
        "text": f"{title}\n{said}",
        "priority": PRIORITIES[event.severity],
        "sensor": context.sensor_id,
        "event": event.to_wire(),
    }
    body = json.dumps(wire).encode()
    if len(body) > MAX_BODY_BYTES:
        wire["event"]["evidence"] = {}
        body = json.dumps(wire).encode()
    if len(body) > MAX_BODY_BYTES:
        wire["event"] = {"seq": event.seq, "kind": event.kind, "severity": event.severity}
        body = json.dumps(wire).encode()
    return body


def shown(url: str) -> str:
    """Return an address as logs tell it: its path may be a secret, too."""
    parts: SplitResult = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _judge(response: "ClientResponse") -> None:
    """Raise unless the receiver has taken what was posted."""
    status = response.status
    where = f"{shown(str(response.url))} answered {status}"
    if 200 <= status < 300:
        return
    if 300 <= status < 400:
        raise SinkError(f"{where}, which leads elsewhere: write the address where that ends")
    if status in MENDABLE:
        raise SinkError(f"{where}: {MENDABLE[status]}")
    if 400 <= status < 500 and status not in AGAIN:
        raise RefusedError(where)
    raise SinkError(where, retry_after=_pause(response.headers))


def _pause(headers: Mapping[str, str]) -> float | None:
    """Return how many seconds the receiver wants to be left alone."""
    said = headers.get("Retry-After", "").strip()
    if said.isascii() and said.isdigit():
        return min(float(said[:9]), _LONGEST_PAUSE)
    try:
        until = email.utils.parsedate_to_datetime(said).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return min(max(until - time.time(), 0.0), _LONGEST_PAUSE)


def _reason(error: BaseException) -> str:
    """Return why nothing could be posted, without the address."""
    cause = getattr(error, "certificate_error", None) or getattr(error, "os_error", None)
    if isinstance(cause or error, OSError):
        return reason(cause or error)
    return f"the connection failed ({type(error).__name__})"


def _header(path: Path) -> str:
    """Return a secret that goes into a header; raises SinkError."""
    secret = read_secret(path)
    if not secret.isascii() or not secret.isprintable():
        raise SinkError(f"{path} holds characters that no token has")
    return secret.strip()


def _named(path: Path | None) -> Path:
    """Return a path that is there if the address is not."""
    if path is None:
        raise SinkError("there is no address")
    return path
