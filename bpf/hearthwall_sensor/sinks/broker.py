"""One connection to an MQTT broker, by paho-mqtt 1.6 or 2: it runs in a thread of its own and is not made again."""

import asyncio
import contextlib
import functools
import logging
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from .mqtt_intake import Intake
from .sink import SinkError
from .tls import Trust, reason

if TYPE_CHECKING:
    from paho.mqtt.client import Client

_LOGGER = logging.getLogger(__name__)

#: Seconds that a broker has for saying that it takes us, and for taking our goodbye.
_PATIENCE: Final = 10.0
_GOODBYE: Final = 1.0
#: Messages that are on the way at once.
_IN_FLIGHT: Final = 100
#: Messages of others that wait to be looked at; those behind them are left out.
_WAITING: Final = 32
#: Longest message of another's that is looked at; longer ones are cut, so that they are not what they were.
LONGEST_PAYLOAD: Final = 4096
_AT_LEAST_ONCE: Final = 1
_UNKNOWN: Final = "it refuses the user name or the password"
_UNWELCOME: Final = "it refuses this client: it may want a user name and a password"
#: What a broker says that does not take us, by MQTT 3.1.1's number and by the one that paho 2 makes of it.
_REFUSALS: Final[Mapping[int, str]] = {
    1: "it speaks no MQTT 3.1.1",
    2: "it refuses the client_id",
    3: "it is not ready",
    4: _UNKNOWN,
    5: _UNWELCOME,
    134: _UNKNOWN,
    135: _UNWELCOME,
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a broker is, and as whom we come."""

    host: str
    port: int
    client_id: str
    keepalive: int
    trust: Trust | None
    """None for no TLS."""
    username: str | None = None
    password: str | None = None


class Broker:
    """The connection. Methods are called in the event loop."""

    def __init__(
        self, place: Place, status: str, on_message: Callable[[str, bytes, bool], None]
    ) -> None:
        """Take where it leads, the topic on which `offline` is left, and who is told of messages.

        A message is its topic, its payload and whether the broker had kept it.
        """
        self._place = place
        self._on_message = on_message
        self._loop = asyncio.get_running_loop()
        self._accepted: asyncio.Future[None] = self._loop.create_future()
        self._on_the_way: dict[int, asyncio.Future[None]] = {}
        self._waiting = threading.Semaphore(_WAITING)
        self._is_closing = False
        self._intake = Intake()
        #: Set when the connection has ended; and why it has.
        self.ended = asyncio.Event()
        self.why = ""
        self._client = self._made(status)

    def _made(self, status: str) -> "Client":
        """Return paho's client; raises SinkError."""
        try:
            import paho.mqtt.client as paho
        except ImportError as error:
            raise SinkError("MQTT needs its library: apt-get install python3-paho-mqtt") from error
        said: dict[str, Any] = {"client_id": self._place.client_id, "clean_session": True}
        if (versions := getattr(paho, "CallbackAPIVersion", None)) is not None:
            said["callback_api_version"] = versions.VERSION2
        client = _bounded(paho.Client, self._intake, self._run)(reconnect_on_failure=False, **said)
        client.max_inflight_messages_set(_IN_FLIGHT)
        client.will_set(status, "offline", _AT_LEAST_ONCE, retain=True)
        if self._place.username is not None:
            client.username_pw_set(self._place.username, self._place.password)
        if self._place.trust is not None:
            client.tls_set_context(self._place.trust.context())
            client.tls_insecure_set(self._place.trust.is_pinned)
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_publish = self._published
        client.on_message = self._came
        return client

    async def connect(self) -> None:
        """Connect; raises SinkError."""
        place = self._place
        try:
            async with asyncio.timeout(2 * _PATIENCE):
                await asyncio.to_thread(
                    self._client.connect, place.host, place.port, place.keepalive
                )
            self._client.loop_start()
            async with asyncio.timeout(_PATIENCE):
                await self._accepted
        except (OSError, ValueError) as error:
            await self.close()
            raise SinkError(f"{place.host}, port {place.port}: {reason(error)}") from error
        except BaseException:
            await self.close()
            raise

    def subscribe(self, topic: str) -> None:
        """Be told of messages on a topic."""
        self._client.subscribe(topic, _AT_LEAST_ONCE)

    def tell(self, topic: str, payload: str) -> None:
        """Publish what is not worth being sent again."""
        self._client.publish(topic, payload, 0)

    def publish(self, topic: str, payload: str, *, retain: bool = False) -> "asyncio.Future[None]":
        """Publish; the future is done when the broker has it, or fails with SinkError."""
        acknowledged: asyncio.Future[None] = self._loop.create_future()
        if self.ended.is_set():
            _fail(acknowledged, "the connection has ended")
            return acknowledged
        sent = self._client.publish(topic, payload, _AT_LEAST_ONCE, retain)
        # The acknowledgement is told in the event loop, so it can't be there before this.
        self._on_the_way[sent.mid] = acknowledged
        return acknowledged

    def give_up(self) -> None:
        """Let go of a connection that is of no use: whoever keeps it makes another."""
        self._end("the broker acknowledges nothing")

    async def close(self, goodbye: tuple[str, str] | None = None) -> None:
        """End the connection, with a last message that stays."""
        self._is_closing = True
        if goodbye is not None and not self.ended.is_set():
            with contextlib.suppress(SinkError, TimeoutError):
                async with asyncio.timeout(_GOODBYE):
                    await self.publish(*goodbye, retain=True)
        self._client.disconnect()
        stopping = asyncio.ensure_future(asyncio.to_thread(self._client.loop_stop))
        await asyncio.wait({stopping}, timeout=_GOODBYE)
        self._cut()  # a broker that does not read would keep the thread
        await stopping
        self._end("the connection was closed")

    def _cut(self) -> None:
        """End what is left of the connection, without a word."""
        left: Any = self._client.socket()
        if left is not None:
            with contextlib.suppress(OSError):
                left.shutdown(socket.SHUT_RDWR)

    # What paho's thread tells; the arguments behind those named differ by its version

    def _connected(self, _: Any, __: Any, ___: Any, code: Any, *____: Any) -> None:
        """Take the broker's answer."""
        number = int(getattr(code, "value", code))
        said = None if number == 0 else _REFUSALS.get(number, str(code))
        self._in_loop(self._accept, said if number == 0 else f"the broker refuses: {said}")

    def _run(self, run: Callable[[], Any]) -> Any:
        """Be paho's thread: whatever ends it, be it a packet that paho trips over, ends the connection."""
        try:
            return run()
        except MemoryError:
            raise  # it is the process's to end
        except Exception as error:  # noqa: BLE001, what the broker sends decides which
            _LOGGER.debug("What the broker sent made no sense: %r", error)
        finally:
            self._disconnected()

    def _disconnected(self, *_: Any) -> None:
        """Note the end."""
        self._in_loop(self._end, self._intake.problem or "the broker ended the connection")

    def _published(self, _: Any, __: Any, number: int, *___: Any) -> None:
        """Note that the broker has a message."""
        self._in_loop(self._acknowledge, number)

    def _came(self, _: Any, __: Any, message: Any) -> None:
        """Hand a message on, unless too many wait."""
        topic = message.topic  # raises where it is no text
        if self._waiting.acquire(blocking=False):
            payload = bytes(message.payload[: LONGEST_PAYLOAD + 1])
            self._in_loop(self._take, topic, payload, bool(message.retain))

    def _in_loop(self, what: Callable[..., None], *arguments: Any) -> None:
        """Call something in the event loop, if there still is one."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(what, *arguments)

    # In the event loop

    def _accept(self, problem: str | None) -> None:
        """Note whether the broker takes us."""
        if not self._accepted.done():
            if problem is None:
                self._accepted.set_result(None)
            else:
                _fail(self._accepted, problem)

    def _end(self, why: str) -> None:
        """Let all know who wait; what came first is why."""
        if not self.ended.is_set():
            self.why = why
        self.ended.set()
        self._accept(why)
        waiting, self._on_the_way = self._on_the_way, {}
        for each in waiting.values():
            if not each.done():
                _fail(each, why)

    def _acknowledge(self, number: int) -> None:
        """Let know who waits for this."""
        waiting = self._on_the_way.pop(number, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    def _take(self, topic: str, payload: bytes, is_kept: bool) -> None:
        """Tell of a message."""
        self._waiting.release()
        if not self._is_closing:
            self._on_message(topic, payload, is_kept)


def _bounded(
    client: "type[Client]", intake: Intake, within: Callable[[Callable[[], Any]], Any]
) -> "type[Client]":
    """Return paho's client as one that takes in only what was looked at, and whose thread runs within something."""
    if not hasattr(client, "_sock_recv"):  # its one place that reads, of 1.6 as of 2
        raise SinkError("MQTT does not know this version of its library")

    class Bounded(client):  # type: ignore[misc, valid-type]  # a class all the same
        def _sock_recv(self, bufsize: int) -> bytes:
            data: bytes = super()._sock_recv(bufsize)
            intake.look(data)
            return data

        def loop_forever(self, *arguments: Any, **more: Any) -> Any:
            return within(functools.partial(super().loop_forever, *arguments, **more))

    return Bounded


def _fail(future: "asyncio.Future[None]", why: str) -> None:
    """Let a future fail, for which perhaps nobody waits."""
    future.set_exception(SinkError(why))
    future.exception()
