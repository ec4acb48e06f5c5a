"""Pairing by a code over real TLS: who is let in, who is not, and what becomes of the code."""

import asyncio
import contextlib
import hashlib
import itertools
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from hearthwall_sensor import pairing_client
from hearthwall_sensor.protocol import SensorError
from hearthwall_sensor.remote import certificate, pairing, tokens
from hearthwall_sensor.remote.admission import Admission
from hearthwall_sensor.remote.introduction import Introduction
from hearthwall_sensor.remote.listener import Listener
from hearthwall_sensor.remote.offers import Offers
from hearthwall_sensor.remote.pairing import Opening, Proof
from hearthwall_sensor.remote.tokens import Tokens
from hearthwall_sensor.requests import Pair

pytestmark = pytest.mark.usefixtures("socket_enabled")
WRONG = "00000-00000"
ENDS = {
    aiohttp.WSMsgType.CLOSE,
    aiohttp.WSMsgType.CLOSED,
    aiohttp.WSMsgType.CLOSING,
    aiohttp.WSMsgType.ERROR,
}


class Door:
    """A listener with a code, and those who come to it."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.offers = Offers(state)
        self.news: list[tuple[str, int]] = []
        self.end: Callable[[], None] = lambda: None
        self.code = ""
        self._listener = Listener("127.0.0.1", 0)

    async def start(self) -> None:
        path = certificate.ensure(self.state)
        self.fingerprint = certificate.fingerprint(path).replace(":", "").lower()
        self._listener.claim()
        self.port = self._listener._socket.getsockname()[1]
        self._listener.context = certificate.context(path)
        self._listener.introduction = Introduction(self.offers, self.fingerprint, "ab" * 16)
        await self._listener.start(
            Tokens(self.state),
            Admission(lambda _: True),
            lambda *_: asyncio.sleep(0),  # type: ignore[arg-type, return-value]
        )

    async def stop(self) -> None:
        self.end()
        await self._listener.stop()
        self._listener.close()

    async def show(self, **said: Any) -> str:
        """Have a code shown."""
        offered, self.end = await self.offers.offer(
            Pair(**said), lambda news: self.news.append((news.what, news.left))
        )
        self.code = offered.code
        return offered.code

    async def pair(self, code: str) -> pairing_client.Introduced:
        async with aiohttp.ClientSession() as session:
            return await pairing_client.pair(session, "127.0.0.1", self.port, code)

    async def refusal(self, code: str) -> str:
        with pytest.raises(SensorError) as failed:
            await self.pair(code)
        return failed.value.code

    @contextlib.asynccontextmanager
    async def talking(self) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """Yield a conversation of somebody who says what it likes."""
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"https://127.0.0.1:{self.port}/pair", ssl=False) as socket,
        ):
            yield socket

    @property
    def names(self) -> list[tuple[str, str]]:
        return [(each.name, each.role) for each in tokens.listed(self.state)]


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    there = Door(tmp_path)
    await there.start()
    yield there
    await there.stop()


@pytest.mark.parametrize("role", ["operate", "read"])
async def test_who_knows_the_code_is_let_in_once(door: Door, role: str) -> None:
    code = await door.show(role=role)
    given = await door.pair(f" {code.lower().replace('0', 'o').replace('1', 'l')} ")
    assert (given.role, given.id, given.fingerprint) == (role, "ab" * 16, door.fingerprint)
    found = Tokens(door.state).find(given.token)
    assert found is not None
    assert (found.name, found.role) == ("Home Assistant", role)
    assert await door.refusal(code) == "no_code"
    assert door.names == [("Home Assistant", role)]
    assert door.news == [("paired", 0)]
    await door.show()
    await door.pair(door.code)
    assert [name for name, _ in door.names] == ["Home Assistant", "Home Assistant 2"]


async def test_a_code_ends_after_five_wrong_tries(door: Door) -> None:
    code = await door.show()
    for left in range(4, -1, -1):
        assert await door.refusal(WRONG) == "wrong_code"
        assert door.news[-1] == (("wrong_code", left) if left else ("code_burnt", 0))
    assert await door.refusal(code) == "code_burnt"
    assert door.names == []
    await door.show()
    assert await door.refusal(WRONG) == "wrong_code"
    await door.pair(door.code)
    assert len(door.names) == 1


async def test_tries_at_once_are_no_more_than_others(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = itertools.count()
    real = pairing.key

    def counting(*said: str) -> bytes:
        next(made)
        return real(*said)

    await door.show()
    async with contextlib.AsyncExitStack() as held:
        sockets = [await held.enter_async_context(door.talking()) for _ in range(8)]
        for each in sockets:
            pairing.heard(Opening, await each.receive_json())
        monkeypatch.setattr(pairing, "key", counting)
        for each in sockets:
            await each.send_json(pairing.said(Proof("ab" * 32, door.fingerprint, "x")))
        codes = sorted([(await each.receive_json())["code"] for each in sockets])
    assert codes == ["code_burnt"] * 3 + ["wrong_code"] * 5
    assert next(made) == 5


async def test_guesses_take_turns(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has 16 MB while it is looked at: five of them at once would have them five times."""
    real, now, most = pairing.key, 0, 0

    def counting(*said: str) -> bytes:
        nonlocal now, most
        now += 1
        most = max(most, now)
        try:
            return real(*said)
        finally:
            now -= 1

    await door.show()
    async with contextlib.AsyncExitStack() as held:
        sockets = [await held.enter_async_context(door.talking()) for _ in range(5)]
        for each in sockets:
            await each.receive_json()
        monkeypatch.setattr(pairing, "key", counting)
        for each in sockets:
            await each.send_json(pairing.said(Proof("ab" * 32, door.fingerprint, "x")))
        for each in sockets:
            await each.receive_json()
    assert most == 1


async def test_what_is_no_proof_is_no_try(door: Door) -> None:
    """Else a stranger could burn the code without anybody being told."""
    await door.show()
    good, bad = "ab" * 32, ("00", "0" * 65, "x" * 64, "é" * 64, "\ud800" * 64, "0" * 63 + "\n")
    for nonce, fingerprint in [(each, good) for each in bad] + [(good, each) for each in bad]:
        async with door.talking() as socket:
            await socket.receive_json()
            said = {"type": "proof", "nonce": nonce, "fingerprint": fingerprint, "proof": "0"}
            await socket.send_json(said)
            assert (await socket.receive_json())["code"] == "invalid_message"
    assert door.news == []
    await door.pair(door.code)


async def test_a_try_that_comes_to_nothing_is_told_whatever_ended_it(
    door: Door, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def none_left(*said: str) -> bytes:
        raise MemoryError

    await door.show()
    with monkeypatch.context() as patched:
        patched.setattr(pairing, "key", none_left)
        for left in range(4, -1, -1):
            async with door.talking() as socket:
                await socket.receive_json()
                await socket.send_json(pairing.said(Proof("ab" * 32, door.fingerprint, "x")))
                assert (await socket.receive()).type in ENDS
            assert door.news[-1] == (("wrong_code", left) if left else ("code_burnt", 0))
    assert caplog.text.count("tried a wrong code for pairing") == 5


async def test_a_code_does_not_outlive_its_time_or_who_showed_it(door: Door) -> None:
    code = await door.show(minutes=0.3 / 60)
    await asyncio.sleep(0.5)
    assert await door.refusal(code) == "no_code"
    first = await door.show()
    await door.show()
    assert door.news == [("expired", 0), ("replaced", 0)]
    assert await door.refusal(first) == "wrong_code"
    door.end()
    assert await door.refusal(door.code) == "no_code"
    assert "code" not in repr(door.offers._offer)


async def test_what_was_recorded_says_nothing_again(door: Door) -> None:
    """Even by whoever sees all that is said: proofs are one conversation's and one side's."""
    await door.show()
    async with door.talking() as socket:
        opening = pairing.heard(Opening, await socket.receive_json())
        key = pairing.key(
            pairing.typed(door.code), door.fingerprint, nonce := "cd" * 32, opening.nonce
        )
        said = pairing.said(Proof(nonce, door.fingerprint, pairing.proof(key, "client")))
        mirrored = said | {"proof": pairing.proof(key, "sensor")}
    for each in (said, mirrored):
        async with door.talking() as socket:
            await socket.receive_json()
            await socket.send_json(each)
            assert (await socket.receive_json())["code"] == "wrong_code"
    assert door.names == []
    await door.pair(door.code)


async def test_who_was_shown_another_certificate_gets_nothing(door: Door) -> None:
    """Somebody in the middle who passes on what both say: the code was right, and ends."""
    await door.show()
    async with door.talking() as socket:
        opening = pairing.heard(Opening, await socket.receive_json())
        other = "11" * 32
        key = pairing.key(pairing.typed(door.code), other, nonce := "cd" * 32, opening.nonce)
        await socket.send_json(pairing.said(Proof(nonce, other, pairing.proof(key, "client"))))
        assert (await socket.receive_json())["code"] == "interfered"
    assert door.news == [("interfered", 0)]
    assert door.names == []
    assert await door.refusal(door.code) == "no_code"


async def test_what_does_not_know_the_code_is_not_believed(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody who answers in the sensor's place and takes any code, to have its own token used."""
    real = pairing.proof
    await door.show()
    monkeypatch.setattr(pairing, "proof", lambda key, side: real(key, "client"))
    monkeypatch.setattr(
        pairing, "is_proof", lambda key, side, presented: presented == real(key, side)
    )
    assert await door.refusal(door.code) == "interfered"
    async with asyncio.timeout(5):
        while not door.news:
            await asyncio.sleep(0.01)
    assert door.news == [("lost", 0)]
    assert door.names == [], "what nobody took is taken back"


@pytest.mark.parametrize(
    "said",
    [
        "no JSON",
        "[]",
        '{"type": "taken"}',
        '{"type": "proof", "nonce": "ab", "fingerprint": "é", "proof": ""}',
        '{"type": "proof", "nonce": 5}',
        "[" * 1500,
        "x" * 100_000,
        b"\0\xff",
    ],
    ids=range(8),
)
async def test_nonsense_is_refused(
    door: Door, caplog: pytest.LogCaptureFixture, said: str | bytes
) -> None:
    await door.show()
    async with door.talking() as socket:
        await socket.receive_json()
        await (socket.send_str(said) if isinstance(said, str) else socket.send_bytes(said))
        answer = await socket.receive()
        assert answer.type in ENDS | {aiohttp.WSMsgType.TEXT}
    assert not [each for each in caplog.records if each.levelname == "ERROR"]
    await door.pair(door.code)


async def test_what_is_no_websocket_is_told_nothing(door: Door) -> None:
    async with aiohttp.ClientSession() as session:
        for method in ("GET", "POST"):
            async with session.request(
                method, f"https://127.0.0.1:{door.port}/pair", ssl=False
            ) as answer:
                assert (answer.status, await answer.read()) == (400, b"")


async def test_who_says_nothing_is_let_go(door: Door) -> None:
    await door.show()
    async with door.talking() as socket:
        await socket.receive_json()
        began = time.monotonic()
        answer = await socket.receive()
        assert answer.type in ENDS
        assert time.monotonic() - began < 11


def test_a_guess_costs_what_the_protocol_says() -> None:
    parts = [bytes([each]) * 32 for each in (1, 2, 3)]
    said = hashlib.scrypt(
        b"7KQ2MX9RTB",
        salt=b"hearthwall pairing 1" + b"".join(parts),
        n=16384,
        r=8,
        p=1,
        maxmem=64 * 1024 * 1024,
        dklen=32,
    )
    fingerprint, client, sensor = (each.hex() for each in parts)
    assert pairing.key("7KQ2MX9RTB", fingerprint, client, sensor) == said
    text = (Path(__file__).resolve().parents[2] / "docs/protocol.md").read_text()
    assert (
        "scrypt (n 16384, r 8, p 1) of the code, with `hearthwall pairing 1`, `F`, `M` and `N`"
        in (" ".join(text.split()))
    )


@pytest.mark.parametrize(
    ("wire", "code"),
    [
        ({"type": "error", "code": "no_code"}, "no_code"),
        ({"type": "error", "code": "from_a_newer_sensor"}, "internal"),
        ({"type": "error", "code": ["no_code"]}, "invalid_message"),
        ({"type": "error"}, "invalid_message"),
        (["error"], "invalid_message"),
        ({"type": "opening", "nonce": 5}, "invalid_message"),
    ],
    ids=range(6),
)
def test_what_answers_in_a_sensors_place_is_read_strictly(wire: Any, code: str) -> None:
    with pytest.raises(SensorError) as failed:
        pairing.heard(Opening, wire)
    assert failed.value.code == code


@pytest.mark.parametrize(
    "text", ["", "1234", "7KQ2M-X9RTU", "7KQ2M-X9RTB1", "é" * 10, "x" * 10**6], ids=range(6)
)
def test_what_can_be_no_code_is_not_sent(text: str) -> None:
    with pytest.raises(SensorError) as failed:
        pairing.typed(text)
    assert failed.value.code == "wrong_code"


def test_a_code_is_read_however_it_is_written() -> None:
    for _ in range(100):
        code = pairing.new_code()
        assert pairing.typed(pairing.shown(code)) == code
        assert pairing.typed(f" {code[:3].lower()} {code[3:]}") == code
    assert pairing.typed("oO1il-7kq2m") == "001117KQ2M"
