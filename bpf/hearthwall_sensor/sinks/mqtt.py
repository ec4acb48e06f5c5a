"""A sink that publishes at an MQTT broker: events, on request the devices' rates, and orders that come from there."""

import asyncio
import contextlib
import json
import logging
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ..notation import is_here
from ..protocol import Event
from .broker import Broker, Place
from .mqtt_orders import Bucket, carried_out, too_many
from .secret import read_secret
from .sink import SinkContext, SinkError
from .table import Table
from .tls import Trust
from .topics import Topics

_LOGGER = logging.getLogger(__name__)

PORT: Final = 1883
TLS_PORT: Final = 8883
#: Seconds until a connection that failed is tried again: twice as many after each time, up to the longest.
_FIRST_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 60.0
#: A connection that held for so long (seconds) was a good one.
_WELL: Final = 30.0
#: Seconds that whoever wants to send waits for a connection, and then for the broker's word.
_PATIENCE: Final = 15.0
#: Orders that wait to be carried out; those behind them are left out.
_WAITING: Final = 16


@dataclass(frozen=True, slots=True)
class MqttOptions:
    """One broker, what is published there, and whether orders are taken from it."""

    host: str
    port: int
    prefix: str
    topic: str | None
    rates: float
    commands: bool
    client_id: str | None
    keepalive: int
    username: str | None
    password_file: Path | None
    trust: Trust | None

    @classmethod
    def read(cls, table: Table) -> "MqttOptions":
        """Take the options; raises SensorError."""
        has_tls = table.flag("tls", default=False)
        host, port = table.server("server", TLS_PORT if has_tls else PORT)
        trust = Trust.read(table)
        if not has_tls and trust != Trust():
            table.fail("ca_file and fingerprint need tls = true")
        options = cls(
            host=host,
            port=port,
            prefix=table.text("prefix", "hearthwall", longest=100),
            topic=table.optional("topic", longest=64),
            rates=table.number("rates", 0, 0, 3600),
            commands=table.flag("commands", default=False),
            client_id=table.optional("client_id", longest=64),
            keepalive=table.whole("keepalive", 30, 5, 3600),
            username=table.optional("username", longest=256),
            password_file=table.optional_path("password_file"),
            trust=trust if has_tls else None,
        )
        _check(table, options)
        return options


def _check(table: Table, options: MqttOptions) -> None:
    """Raise SensorError for options that don't fit each other."""
    levels = options.prefix.split("/")
    if not all(levels) or levels[0].startswith("$") or any(each in options.prefix for each in "#+"):
        table.fail("prefix is the beginning of a topic, such as hearthwall or home/hearthwall")
    if 0 < options.rates < 1:
        table.fail("rates is how many seconds lie between two figures, 1 or more, or 0 for none")
    if (options.username is None) != (options.password_file is None):
        table.fail("username and password_file belong together")
    if options.commands and options.username is None:
        table.fail(
            "commands = true needs a username and a password_file: where anybody may publish,"
            " so may what was cut off"
        )
    if options.commands and options.trust is None and not is_here(options.host):
        table.fail(
            "commands = true needs tls = true, or a broker on this host: who reads the password on the way"
            " may give orders"
        )


class MqttSink:
    """Keeps a connection, and publishes over it."""

    def __init__(self, options: MqttOptions, context: SinkContext) -> None:
        """Take the options, and what is known of the sensor."""
        self._options = options
        self._context = context
        self.topics = Topics.of(options.prefix, options.topic or context.sensor_id)
        self._broker: Broker | None = None
        #: Set once it is known whether there is a connection.
        self._is_known = asyncio.Event()
        #: Ends the pause between two tries.
        self._try_now = asyncio.Event()
        self._problem = "the broker does not answer"
        self._tasks: tuple[asyncio.Task[None], ...] = ()
        self._orders: asyncio.Queue[bytes] = asyncio.Queue(_WAITING)
        self._bucket = Bucket()

    async def start(self) -> None:
        """Connect, from now on again and again; at once if that is not tried already."""
        if not self._tasks:
            work = [self._keep_connected(), self._carry_out_orders()]
            if self._options.rates:
                work.append(self._tell_rates())
            self._tasks = tuple(map(asyncio.ensure_future, work))
        if self._broker is None:
            self._is_known.clear()
            self._try_now.set()
        await self._connected()
        self._context.reached()

    async def send(self, events: Sequence[Event]) -> None:
        """Publish the events; the broker has acknowledged all when this returns."""
        broker = await self._connected()
        sent = [broker.publish(self.topics.event, self._message(each)) for each in events]
        try:
            async with asyncio.timeout(_PATIENCE):
                await asyncio.gather(*sent)
        except (SinkError, TimeoutError) as error:
            said = str(error) or "the broker acknowledges nothing"
            delivered = next((n for n, each in enumerate(sent) if not _is_good(each)), len(sent))
            broker.give_up()
            raise SinkError(said, delivered=delivered) from None

    async def close(self) -> None:
        """Say that nothing is told any more, and end the connection."""
        tasks, self._tasks = self._tasks, ()
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _message(self, event: Event) -> str:
        """Return what is published of an event."""
        context, mac = self._context, event.mac
        whose = {
            "sensor": context.sensor_id,
            "device": context.device_name(mac) if mac else None,
            "manufacturer": context.device_maker(mac) if mac else None,
        }
        return json.dumps(whose | event.to_wire(), separators=(",", ":"))

    # The connection

    async def _connected(self) -> Broker:
        """Return the connection, when there is one; raises SinkError."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                await self._is_known.wait()
        for each in self._tasks:
            if each.done():
                each.result()  # it never ends but by a mistake of ours
        if self._broker is None:
            raise SinkError(self._problem)
        return self._broker

    async def _keep_connected(self) -> None:
        """Connect again whenever the connection ends."""
        loop = asyncio.get_running_loop()
        pause = _FIRST_PAUSE
        while True:
            began = loop.time()
            self._is_known.clear()
            try:
                await self._be_connected()
            except SinkError as error:
                self._problem = str(error)
            self._is_known.set()
            if loop.time() - began >= _WELL:
                pause = _FIRST_PAUSE
            self._try_now.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause * random.uniform(0.9, 1.1)):  # noqa: S311, no secret
                    await self._try_now.wait()
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _be_connected(self) -> None:
        """Connect, and return when the connection has ended; raises SinkError."""
        broker = Broker(self._place(), self.topics.status, self._take)
        await broker.connect()
        try:
            if self._options.commands:
                broker.subscribe(self.topics.command)
            online = broker.publish(self.topics.status, "online", retain=True)
            if not (await asyncio.wait({online}, timeout=_PATIENCE))[0]:
                raise SinkError("the broker acknowledges nothing")
            online.result()
            self._broker = broker
            self._is_known.set()
            await broker.ended.wait()
            self._problem = broker.why
        finally:
            self._broker = None
            self._is_known.clear()
            await asyncio.shield(broker.close((self.topics.status, "offline")))

    def _place(self) -> Place:
        """Return where the broker is; raises SinkError for a secret that can't be read."""
        options = self._options
        return Place(
            host=options.host,
            port=options.port,
            client_id=options.client_id
            or f"hearthwall-{self._context.sensor_id}-{self._context.name}"[:64],
            keepalive=options.keepalive,
            trust=options.trust,
            username=options.username,
            password=None if options.password_file is None else read_secret(options.password_file),
        )

    # What devices move

    async def _tell_rates(self) -> None:
        """Publish again and again what each device moves; one that stands still is told once."""
        told: dict[str, tuple[int, int]] = {}
        while True:
            await asyncio.sleep(self._options.rates)
            broker = self._broker
            if broker is None:
                continue
            rates = {
                each.mac: (round(each.upload_rate), round(each.download_rate))
                for each in self._context.devices()
            }
            for mac, (upload, download) in rates.items():
                if upload or download or told.get(mac, (0, 0)) != (0, 0):
                    figures = {"upload": upload, "download": download}
                    broker.tell(self.topics.rate(mac), json.dumps(figures))
            told = rates

    # Orders

    def _take(self, topic: str, payload: bytes, is_kept: bool) -> None:
        """Take an order; one that the broker had kept was for somebody before."""
        if topic != self.topics.command or not self._options.commands:
            return
        if is_kept:
            _LOGGER.warning("An order was left out: the broker keeps it, and would give it again")
        elif self._orders.full() or not self._bucket.take():
            if self._bucket.tells():
                _LOGGER.warning("Too many orders come over MQTT: those beyond are left out")
                self._answer(too_many(payload))
        else:
            self._orders.put_nowait(payload)

    async def _carry_out_orders(self) -> None:
        """Carry out one order after the other."""
        while True:
            payload = await self._orders.get()
            self._answer(await carried_out(payload, self._context.call))

    def _answer(self, answer: dict[str, Any]) -> None:
        """Say what became of an order, if the broker is still there."""
        if self._broker is not None:
            self._broker.publish(self.topics.result, json.dumps(answer))


def _is_good(sent: "asyncio.Future[None]") -> bool:
    """Return whether the broker has acknowledged a message."""
    return sent.done() and not sent.cancelled() and sent.exception() is None
