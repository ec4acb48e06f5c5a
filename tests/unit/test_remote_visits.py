"""Who comes to a listener from where: whom that protects, and how many may come; without a network."""

import asyncio
import functools
import socket
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest
from aiohttp import web

from hearthwall_sensor.network.topology import NetInterface, Network
from hearthwall_sensor.remote import (
    listener as listener_module,
    remote as remote_module,
    tokens,
)
from hearthwall_sensor.remote.admission import Admission
from hearthwall_sensor.remote.listener import Listener
from hearthwall_sensor.remote.newcomer import Newcomer
from hearthwall_sensor.remote.remote import SETTLED, Remote
from hearthwall_sensor.remote.tokens import Token, Tokens
from hearthwall_sensor.remote.whereabouts import Callers, Whereabouts

pytestmark = pytest.mark.usefixtures("socket_enabled")


def visiting(state: Path) -> tuple[Remote, list[frozenset[str]], Token]:
    """Return what listens, with one token; nothing is bound."""
    tokens.create(state, "one")
    remote = Remote(("127.0.0.1", 0), state, SimpleNamespace(turned_away=0))  # type: ignore[arg-type]
    assert remote._listener is not None
    remote._listener._tokens = remote._tokens = Tokens(state)
    remote._whereabouts = Whereabouts(state)
    remote._callers = Callers(state)
    told: list[frozenset[str]] = []
    remote.on_moved = told.append
    return remote, told, remote._tokens._tokens[0]


def visit(
    remote: Remote, token: Token, address: str, said: str, began: float
) -> remote_module._Visit:
    """Let a client come."""
    came = remote_module._Visit(token, address, began)
    remote._visits.add(came)
    remote._arrive(came, said)
    return came


def test_whoever_passes_a_connection_on_is_not_protected(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    remote, told, token = visiting(tmp_path)
    visit(remote, token, "192.168.1.30", "192.168.1.30", 0.0)
    assert told.pop() == {"192.168.1.30"}
    remote._visits.clear()
    for _ in range(3):
        visit(remote, token, "192.168.1.66", "192.168.1.30", 10.0)
    visit(remote, token, "192.168.1.67", "no address\x1b" * 100, 10.0)
    remote._settle(SETTLED + 20.0)
    assert told == []
    assert remote._whereabouts.addresses == {"192.168.1.30"}
    assert caplog.text.count("passes it on") == 2
    assert "\x1b" not in caplog.text
    remote.release()


def test_who_moves_is_protected_at_both_places_for_a_while(tmp_path: Path) -> None:
    remote, told, token = visiting(tmp_path)
    remote._visits.discard(visit(remote, token, "192.168.1.30", "192.168.1.30", 0.0))
    visit(remote, token, "192.168.1.31", "192.168.1.31", 100.0)
    remote._settle(100.0 + SETTLED - 1.0)
    assert told[-1] == {"192.168.1.30", "192.168.1.31"}
    beside = visit(remote, token, "192.168.1.32", "192.168.1.32", 390.0)
    remote._settle(100.0 + SETTLED)
    assert told[-1] == {"192.168.1.31", "192.168.1.32"}, "two with one token, both here"
    remote._visits.discard(beside)
    remote._settle(101.0 + SETTLED)
    assert told[-1] == {"192.168.1.31"}
    remote.release()


def test_who_is_revoked_is_protected_no_more(tmp_path: Path) -> None:
    remote, told, token = visiting(tmp_path)
    came = visit(remote, token, "192.168.1.30", "192.168.1.30", 0.0)
    tokens.revoke(tmp_path, "one")
    remote.each_second()
    assert told[-1] == frozenset()
    remote._arrive(came, "192.168.1.30")  # what it said before it was cut off
    assert told[-1] == frozenset()
    assert remote._whereabouts.addresses == frozenset()
    remote.release()


async def test_who_only_reads_waits_for_no_strangers_and_is_not_protected(tmp_path: Path) -> None:
    tokens.create(tmp_path, "Prometheus", "metrics")
    remote, told, _ = visiting(tmp_path)
    (reader,) = (each for each in remote._tokens.good if each.role == "metrics")
    remote._server.converse = AsyncMock()  # type: ignore[method-assign]
    await remote._serve(SimpleNamespace(transport=None), "name", reader, "192.168.1.40")  # type: ignore[arg-type]
    assert remote._is_known("192.168.1.40")
    assert not remote._is_known("192.168.1.41")
    remote.each_second()
    assert (told, remote._whereabouts.addresses) == ([], frozenset())
    assert Callers(tmp_path).addresses == {"192.168.1.40"}, "also after a restart"
    tokens.revoke(tmp_path, "Prometheus")
    remote.each_second()
    assert not remote._is_known("192.168.1.40")
    remote.release()


@pytest.mark.parametrize("is_changed", [False, True])
def test_who_is_revoked_or_may_less_than_before_is_cut_off(
    tmp_path: Path, is_changed: bool
) -> None:
    remote, _, token = visiting(tmp_path)
    assert remote._listener is not None
    tokens.create(tmp_path, "other")
    remote._tokens.follow()
    gone: list[str] = []
    for each in remote._tokens.good:
        there = Mock(abort=functools.partial(gone.append, each.name))
        remote._listener._clients[there] = each
    remote.each_second()
    assert gone == []
    if is_changed:
        path = tmp_path / tokens.TOKENS_FILE
        path.write_text(path.read_text().replace('"operate"', '"read"', 1))
    else:
        tokens.revoke(tmp_path, "one")
    assert remote._tokens.find("a stranger's, who has the file read") is None
    remote.each_second()
    assert gone == [token.name]
    remote.release()


async def test_without_descriptors_it_waits(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(listener_module, "_PAUSE", 0.2)
    there = Listener("127.0.0.1", 0)
    there.claim()
    tried = 0

    class Exhausted:
        """The socket of a process that has no descriptor left."""

        def fileno(self) -> int:
            return there_socket.fileno()

        def accept(self) -> Any:
            nonlocal tried
            tried += 1
            raise OSError(24, "Too many open files")

    there_socket = there._socket
    there_socket.listen()
    there._socket = Exhausted()  # type: ignore[assignment]
    there._go_on()
    with socket.create_connection(there_socket.getsockname()):
        await asyncio.sleep(0.5)
    assert 2 <= tried <= 4
    assert "Too many open files" in caplog.text
    there._server = SimpleNamespace(shutdown=lambda _: asyncio.sleep(0))  # type: ignore[assignment]
    await there.stop()
    await asyncio.sleep(0.3)
    assert tried <= 4, "it has stopped"
    there_socket.close()


def test_it_listens_where_somebody_gets_only(tmp_path: Path) -> None:
    """The port of an address that is not there yet can be had, but nobody reaches it."""
    server = SimpleNamespace(listening=None, unreachable=None)
    remote = Remote(("192.168.1.1", 8447), tmp_path, server)  # type: ignore[arg-type]
    remote._is_started = True
    port = NetInterface(1, "br-lan", "bridge", None, None, True, ("192.168.1.1",), False)
    missing = "no interface of this host has the address 192.168.1.1 now"
    for seen, where, why in (
        (Network({}), None, missing),
        (Network({1: port}), "192.168.1.1:8447", None),
        (Network({}), None, missing),
    ):
        remote.follow(seen, ["br-lan"])
        assert (server.listening, server.unreachable) == (where, why)
    remote.release()


async def test_all_tokens_together_have_so_many_clients(tmp_path: Path) -> None:
    there = Listener("127.0.0.1", 0)
    there._admission = Admission(lambda _: False)
    given = tokens.create(tmp_path, "one more")
    there._tokens = Tokens(tmp_path)
    there._serve = AsyncMock(return_value=web.Response(status=200))
    newcomer = Mock(spec=Newcomer, address="192.168.1.30", interface=0)
    transport = Mock(spec=asyncio.Transport)
    transport.get_protocol.return_value = newcomer
    request: Any = SimpleNamespace(
        path="/ws", transport=transport, headers={"Authorization": f"Bearer {given}"}
    )
    for number in range(16):
        assert (await there._answer(request)).status == 200, number
        there._clients[Mock()] = Token(f"of another {number}", f"{number:064x}", 0.0)
    newcomer.admit.reset_mock()
    assert (await there._answer(request)).status == 503
    newcomer.admit.assert_not_called()
    there.close()


def test_strangers_of_a_prefix_share_what_newcomers_may_have() -> None:
    there = Listener("127.0.0.1", 0)
    there._admission = Admission(lambda _: False)
    for number in range(1, 5):
        for address, interface in ((f"2001:db8::{number}", 0), (f"fe80::{number}", 3)):
            for _ in range(2):
                assert there._may_knock(address, interface)
                key: Any = object()
                there._newcomers[key] = there._admission.whose(address, interface)
    assert not there._may_knock("2001:db8::99", 0)
    assert not there._may_knock("fe80::99", 3)
    assert there._may_knock("2001:db8:1::99", 0)
    there.close()
