"""Small clients that misbehave byte for byte as the real ones do: python3 -I clients.py WHAT ADDRESS PORT [SECONDS]."""

import contextlib
import json
import random
import selectors
import socket
import ssl
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Final

ANSWER_SECONDS: Final = 3.0
PAUSE_SECONDS: Final = 0.3

#: The first of the pairs that Mirai tries, from its published source.
PASSWORDS: Final = (
    ("root", "xc3511"),
    ("root", "vizxv"),
    ("root", "admin"),
    ("admin", "admin"),
    ("root", "888888"),
    ("root", "xmhdipc"),
    ("root", "default"),
    ("root", "juantech"),
    ("root", "123456"),
    ("root", "54321"),
    ("support", "support"),
    ("root", ""),
)


def _line(method: str, params: object, **more: object) -> bytes:
    return json.dumps({"id": 1, "method": method, "params": params, **more}).encode() + b"\n"


_SMB_NEGOTIATE: Final = bytes.fromhex(
    # SMB 2: header, then NEGOTIATE for the dialects 2.0.2, 2.1, 3.0 and 3.0.2
    "0000006c"
    "fe534d4240000100000000000000000000000000000000000000000000000000"
    "0000000000000000000000000000000000000000000000000000000000000000"
    "24000400010000007f000000000102030405060708090a0b0c0d0e0f00000000"
    "000000000202100200030203"
)
_BITTORRENT: Final = (
    b"\x13BitTorrent protocol" + bytes(5) + b"\x10\0\5" + b"h" * 20 + b"-TR3000-" + b"p" * 12
)

#: What a client says, one message after each answer.
OPENERS: Final[Mapping[str, tuple[bytes, ...]]] = {
    "stratum": (
        _line("mining.subscribe", ["cpuminer/2.5.1"]),
        _line("mining.authorize", ["wallet.plug", "x"]),
        _line("mining.submit", ["wallet.plug", "1", "00000001", "68000001", "deadbeef"]),
    ),
    "monero": (
        _line(
            "login",
            {"login": "4" * 95, "pass": "x", "agent": "XMRig/6.21.0", "algo": ["rx/0"]},
            jsonrpc="2.0",
        ),
        _line("keepalived", {"id": "1"}, jsonrpc="2.0"),
    ),
    "ethereum": (
        _line("eth_submitLogin", ["0x" + "1" * 40], worker="plug", jsonrpc="2.0"),
        _line("eth_getWork", [], jsonrpc="2.0"),
    ),
    "irc": (
        b"NICK plug4711\r\nUSER plug 0 * :plug\r\n",
        b"JOIN #herd key\r\n",
        b"PRIVMSG #herd :ready\r\n",
    ),
    "socks": (
        b"\x05\x01\x00",
        b"\x05\x01\x00\x03\x0cnews.example\x01\xbb",
        b"GET / HTTP/1.0\r\n\r\n",
    ),
    "bittorrent": (_BITTORRENT, b"\0\0\0\1\2"),
    "smb": (_SMB_NEGOTIATE, _SMB_NEGOTIATE),
    "telnet": (
        b"\xff\xfd\x03\xff\xfb\x18\xff\xfb\x1f\xff\xfb\x20",
        b"root\r\n",
        b"xc3511\r\n",
        b"enable\r\nsystem\r\nshell\r\nsh\r\n",
    ),
}


def converse(opener: str, address: str, port: int, _seconds: float) -> None:
    """Say what such a client says and wait for an answer each time."""
    with socket.create_connection((address, port), ANSWER_SECONDS) as client:
        for message in OPENERS[opener]:
            client.sendall(message)
            with contextlib.suppress(TimeoutError):
                client.recv(4096)
            time.sleep(PAUSE_SECONDS)


def tor(address: str, port: int, _seconds: float) -> None:
    """Greet a relay: a made-up name, and no protocol offered."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with (
        socket.create_connection((address, port), ANSWER_SECONDS) as plain,
        context.wrap_socket(plain, server_hostname="www.k7hzq4tcxw2ds5.com") as client,
    ):
        client.sendall(b"\0\0\7\0\6\0\3\0\4\0\5")
        client.recv(4096)
        time.sleep(PAUSE_SECONDS)


def _candidates(address: str) -> Iterator[str]:
    """Yield addresses beside this one, in an order that looks like none."""
    prefix = address.rpartition(".")[0]
    numbers = list(range(128, 254))
    random.Random(1).shuffle(numbers)  # noqa: S311
    return (f"{prefix}.{number}" for number in numbers)


def mirai(address: str, port: int, seconds: float) -> None:
    """Try telnet on addresses at random, and passwords on the one that answers."""
    end = time.monotonic() + seconds
    candidates = _candidates(address)
    waiting = selectors.DefaultSelector()
    tried = 0
    while time.monotonic() < end:
        for _ in range(8):
            if (candidate := next(candidates, None)) is None:
                break
            probe = socket.socket()
            probe.setblocking(False)
            # One in ten goes to the other port, as the original does
            probe.connect_ex((candidate, 2323 if random.random() < 0.1 else port))  # noqa: S311
            waiting.register(probe, selectors.EVENT_WRITE, time.monotonic())
        if tried < len(PASSWORDS):
            _log_in(address, port, *PASSWORDS[tried])
            tried += 1
        for key in list(waiting.get_map().values()):
            if time.monotonic() - key.data > ANSWER_SECONDS:
                waiting.unregister(key.fileobj)
                key.fileobj.close()  # type: ignore[union-attr]
        time.sleep(PAUSE_SECONDS)


def _log_in(address: str, port: int, user: str, password: str) -> None:
    with (
        contextlib.suppress(OSError),
        socket.create_connection((address, port), ANSWER_SECONDS) as client,
    ):
        client.recv(256)
        for word in (user, password):
            client.sendall(word.encode() + b"\r\n")
            client.recv(256)


def beacon(address: str, port: int, seconds: float, *, every: float = 3.3) -> None:
    """Call home at an even pace, a tenth earlier or later each time, and be told that there is nothing to do."""
    rng = random.Random(7)  # noqa: S311
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with (
            contextlib.suppress(OSError),
            socket.create_connection((address, port), ANSWER_SECONDS) as client,
        ):
            client.sendall(
                b"POST /gate.php HTTP/1.1\r\nHost: cdn-sync.example\r\nContent-Length: 32\r\n\r\n"
                + b"i" * 32
            )
            client.recv(4096)
        time.sleep(every * (1 + 0.1 * (2 * rng.random() - 1)))


def burst(address: str, port: int, seconds: float) -> None:
    """Begin connections that succeed, as fast as they go, and end each at once."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            socket.create_connection((address, port), ANSWER_SECONDS).close()


CLIENTS: Final[Mapping[str, Callable[[str, int, float], None]]] = {
    "tor": tor,
    "mirai": mirai,
    "beacon": beacon,
    "burst": burst,
}


def main() -> None:
    """Misbehave as the command line says."""
    what, address, port, *rest = sys.argv[1:]
    seconds = float(rest[0]) if rest else 0.0
    if what in OPENERS:
        converse(what, address, int(port), seconds)
    else:
        CLIENTS[what](address, int(port), seconds)


if __name__ == "__main__":
    main()
