"""Pairing on a real gateway: by the command and a code, and not by whoever listens, guesses or stands in the middle."""

import asyncio
import re
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from hearthwall_sensor.protocol import SensorError
from hearthwall_sensor.remote import pairing
from hearthwall_sensor.requests import AddBlock, GetDevices
from lab import Lab
from lab.home import DEVICES
from tests.gateway.inside import inside, talking
from tests.gateway.pairing import Middle, endpoint_of, pair, shown
from tests.gateway.sensor_process import SensorProcess, until
from tests.gateway.test_remote import HOST, LISTEN, PORT

pytestmark = pytest.mark.lab

PLACE = (HOST, PORT)
CAMERA = DEVICES["camera"]
WRONG = "00000-00000"


@pytest.fixture(scope="module")
def listening(lab: Lab) -> Iterator[SensorProcess]:
    """A sensor that listens, and whose socket's group can reach it."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        sensor = SensorProcess(lab, Path(folder)).start(*LISTEN, "--group", "nogroup")
        yield sensor
        assert "Traceback" not in sensor.log.read_text()
        sensor.clean()


@pytest.fixture(autouse=True)
def nobody_left(listening: SensorProcess) -> Iterator[None]:
    """Let no token, and nobody's protection by one, outlive its test, whichever way that one ends."""
    yield
    for name in names(listening):
        listening.call("token", name, "--revoke")
    laptop = str(DEVICES["laptop"].ipv4)
    assert until(lambda: laptop not in listening.call("status")["protected"])


@pytest.fixture
def middle(lab: Lab, tmp_path: Path) -> Middle:
    """The camera, which has taken over the way to the sensor."""
    return Middle(lab, "camera", tmp_path, PLACE)


async def refused(lab: Lab, place: tuple[str, int], code: str) -> str:
    with pytest.raises(SensorError) as failed:
        await pair(lab, "laptop", place, code)
    return failed.value.code


def names(sensor: SensorProcess) -> list[str]:
    return [each["name"] for each in sensor.call("token", "--list")["tokens"]]


async def test_a_code_lets_one_in_and_its_role_holds(lab: Lab, listening: SensorProcess) -> None:
    for role, name in (("operate", "Home"), ("read", "Tablet")):
        with shown(listening, "--role", role, "--name", name) as there:
            offered = there.next()
            assert (offered["addresses"], offered["port"], offered["role"]) == ([HOST], PORT, role)
            assert 280 < offered["expires"] - time.time() <= 300
            given = await pair(lab, "laptop", PLACE, offered["code"])
            assert there.next()["what"] == "paired"
            assert there.end()[0] == 0
        assert await refused(lab, PLACE, offered["code"]) == "no_code", "once"
        kept = b"".join(each.read_bytes() for each in listening.state.iterdir() if each.is_file())
        said = kept + listening.log.read_bytes()
        for secret in (offered["code"], offered["code"].replace("-", ""), given.token):
            assert secret.encode() not in said
        async with talking(lab, "laptop", endpoint_of(PLACE, given)) as client:
            assert client.hello is not None
            assert client.hello.role == given.role == role
            await client.call(GetDevices())
            order = client.block(AddBlock(CAMERA.mac, "audit"))
            if role == "operate":
                assert (await order).mode == "audit"
                await client.unblock(CAMERA.mac)
            else:
                with pytest.raises(SensorError) as no:
                    await order
                assert no.value.code == "read_only"
                assert listening.call("blocks") == []
    assert {each["name"]: each["role"] for each in listening.call("token", "--list")["tokens"]} == {
        "Home": "operate",
        "Tablet": "read",
    }


async def test_who_only_reads_takes_no_protection(lab: Lab, listening: SensorProcess) -> None:
    with shown(listening, "--role", "read") as there:
        given = await pair(lab, "laptop", PLACE, there.next()["code"])
    async with talking(lab, "laptop", endpoint_of(PLACE, given)) as client:
        assert str(DEVICES["laptop"].ipv4) not in (await client.status()).protected


async def test_what_happens_is_told_as_it_happens(lab: Lab, listening: SensorProcess) -> None:
    with shown(listening, as_json=False) as there:
        lines = [there.line() for _ in range(9)]
        (code,) = re.findall(r"Code +(\S{5}-\S{5})\n", "".join(lines))
        assert lines[-1] == "Waiting.\n", "in a log there is no Ctrl-C"
        assert await refused(lab, PLACE, WRONG) == "wrong_code"
        laptop = DEVICES["laptop"].ipv4
        assert there.line() == (
            f"Somebody at {laptop} tried a wrong code. 4 more and this one ends.\n"
        )
        await pair(lab, "laptop", PLACE, code.lower())
        assert there.line().startswith(f"Paired: 'Home Assistant' at {laptop} may now see")
        assert there.end()[0] == 0
    with shown(listening, as_json=False) as there:
        for _ in range(9):
            there.line()
        for _ in range(5):
            assert await refused(lab, PLACE, WRONG) == "wrong_code"
        status, said = there.end()
        assert status == 1
        assert "Wrong codes were tried too often" in said
    assert await refused(lab, PLACE, code) == "code_burnt"


async def test_a_code_ends_with_its_command(lab: Lab, listening: SensorProcess) -> None:
    with shown(listening) as there:
        first = there.next()["code"]
        with shown(listening) as later:
            second = later.next()["code"]
            status, said = there.end()
            assert status == 1
            assert "Another `pair`" in said
            assert await refused(lab, PLACE, first) == "wrong_code"
            assert later.next()["left"] == 4
            assert later.interrupt() == 130
            await asyncio.sleep(0.2)
            assert await refused(lab, PLACE, second) == "no_code"
    with shown(listening) as there:
        code = there.next()["code"]
        there.close()  # killed
    await asyncio.sleep(0.2)
    assert await refused(lab, PLACE, code) == "no_code"
    assert names(listening) == []


def test_only_root_makes_codes(lab: Lab, listening: SensorProcess) -> None:
    """A member of the socket's group gives orders, but lets nobody in."""
    asking = f"""
import asyncio, json, sys, aiohttp
async def main():
    async with aiohttp.ClientSession(connector=aiohttp.UnixConnector({listening.socket!r})) as session:
        async with session.ws_connect("http://sensor/ws") as socket:
            await socket.receive_json()
            for number, said in enumerate(("initialize", "devices", "pair")):
                schema = {{}} if number else {{"schema": 1}}
                await socket.send_json({{"type": said, "id": number}} | schema)
                answer = await socket.receive_json()
                print(answer.get("code", answer["type"]))
asyncio.run(main())
"""
    line = ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups"]
    done = lab.run("gateway", [*line, "/usr/bin/python3", "-I", "-c", asking])
    assert done.stdout.split() == ["result", "result", "not_permitted"]


async def test_who_stands_in_the_middle_gets_no_token(
    lab: Lab, listening: SensorProcess, middle: Middle
) -> None:
    """It has a certificate of its own, and passes on all that both say: both sides tell their users."""
    with shown(listening) as there, middle.standing(str(CAMERA.ipv4)) as place:
        code = there.next()["code"]
        assert await refused(lab, place, code) == "interfered"
        status, said = there.end()
        assert status == 1
        assert "stands between" in said
    assert [side for side, _ in middle.heard] == ["sensor", "client", "sensor"]
    assert names(listening) == []
    assert await refused(lab, PLACE, code) == "no_code", "a code that was overheard is void"


async def test_who_changes_what_passes_gets_no_token(
    lab: Lab, listening: SensorProcess, middle: Middle
) -> None:
    """It says that the client was shown the sensor's certificate; or keeps a right proof for itself."""

    def lie(side: str, said: dict[str, Any]) -> dict[str, Any] | None:
        return said | {"fingerprint": own} if side == "client" else said

    own = listening.call("token", "other")["fingerprint"].replace(":", "").lower()
    listening.call("token", "other", "--revoke")
    middle.twist = lie
    with shown(listening) as there, middle.standing(str(CAMERA.ipv4)) as place:
        code = there.next()["code"]
        assert await refused(lab, place, code) == "wrong_code"
        assert there.next()["what"] == "wrong_code"
        # What it has heard does not hold in a conversation of its own, with either fingerprint.
        (heard,) = [said for side, said in middle.heard if side == "client"]
        for fingerprint in (own, heard["fingerprint"]):
            with inside(lab, "camera"):
                async with (
                    aiohttp.ClientSession() as session,
                    session.ws_connect(f"https://{HOST}:{PORT}/pair", ssl=False) as socket,
                ):
                    await socket.receive_json()
                    await socket.send_json(heard | {"fingerprint": fingerprint})
                    assert (await socket.receive_json())["type"] == "error"
            assert there.next()["what"] == "wrong_code"
        assert names(listening) == []
        await pair(lab, "laptop", PLACE, code)


async def test_what_gives_a_token_for_any_code_is_not_believed(
    lab: Lab, listening: SensorProcess, middle: Middle
) -> None:
    def give(side: str, said: dict[str, Any]) -> dict[str, Any] | None:
        if side == "sensor" and said["type"] != "opening":
            token = pairing.Paired("0" * 64, "x" * 43, "operate", "Home Assistant")
            return pairing.said(token)
        return said | {"proof": "0" * 64} if side == "client" else said

    middle.twist = give
    with shown(listening) as there, middle.standing(str(CAMERA.ipv4)) as place:
        assert await refused(lab, place, there.next()["code"]) == "interfered"
    assert names(listening) == []


async def test_a_recorded_pairing_is_nothing_worth(
    lab: Lab, listening: SensorProcess, middle: Middle
) -> None:
    """Said again, word for word, while the code still waits, and after it has served."""
    with shown(listening) as there:
        code = there.next()["code"]
        with inside(lab, "laptop"):
            async with (
                aiohttp.ClientSession() as session,
                session.ws_connect(f"https://{HOST}:{PORT}/pair", ssl=False) as socket,
            ):
                opening = await socket.receive_json()
        fingerprint = listening.call("token", "other")["fingerprint"].replace(":", "").lower()
        listening.call("token", "other", "--revoke")
        key = pairing.key(pairing.typed(code), fingerprint, "ab" * 32, opening["nonce"])
        recorded = pairing.said(pairing.Proof("ab" * 32, fingerprint, pairing.proof(key, "client")))

        async def say_again() -> dict[str, Any]:
            with inside(lab, "camera"):
                async with (
                    aiohttp.ClientSession() as session,
                    session.ws_connect(f"https://{HOST}:{PORT}/pair", ssl=False) as socket,
                ):
                    first: dict[str, Any] = await socket.receive_json()
                    if first["type"] == "error":
                        return first
                    await socket.send_json(recorded)
                    answer: dict[str, Any] = await socket.receive_json()
                    return answer

        assert (await say_again())["code"] == "wrong_code"
        assert there.next()["left"] == 4
        await pair(lab, "laptop", PLACE, code)
        assert (await say_again())["code"] == "no_code"
    assert names(listening) == ["Home Assistant"]
