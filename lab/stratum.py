"""A mining pool: as much of Stratum version 1 as a miner's first minutes need."""

import asyncio
import json
from collections.abc import Mapping
from itertools import count
from typing import Any, Final

from lab import home

#: A pool sends new work about this often; a miner that says nothing for long is let go.
JOB_SECONDS: Final = 30.0
IDLE_SECONDS: Final = 600.0
MAX_LINE: Final = 16 * 1024

_EXTRANONCE_1: Final = "08000002"
_EXTRANONCE_2_SIZE: Final = 4
_ANSWERS: Final[Mapping[str, Any]] = {
    "mining.subscribe": [
        [["mining.set_difficulty", "1"], ["mining.notify", "1"]],
        _EXTRANONCE_1,
        _EXTRANONCE_2_SIZE,
    ],
    "mining.authorize": True,
    "mining.submit": True,
    "mining.extranonce.subscribe": True,
}
_UNKNOWN_METHOD: Final = [20, "unknown method", None]


def _line(message: Mapping[str, Any]) -> bytes:
    return json.dumps(message).encode() + b"\n"


def _reply(line: bytes) -> tuple[str, bytes] | None:
    """Return method and answer of a request; None for what is not one."""
    try:
        request = json.loads(line)
        method, number = request["method"], request["id"]
    except (ValueError, KeyError, TypeError):
        return None
    if not isinstance(method, str):
        return None
    known = method in _ANSWERS
    return method, _line(
        {"id": number, "result": _ANSWERS.get(method), "error": None if known else _UNKNOWN_METHOD}
    )


async def _send_jobs(writer: asyncio.StreamWriter) -> None:
    """Push work, as a pool does after a miner has logged in."""
    writer.write(_line({"id": None, "method": "mining.set_difficulty", "params": [1]}))
    for job in count(1):
        params = [
            f"{job:x}",
            "00" * 32,
            "01000000",
            "ffffffff",
            [],
            "20000000",
            "1d00ffff",
            "68000000",
            job == 1,
        ]
        writer.write(_line({"id": None, "method": "mining.notify", "params": params}))
        await writer.drain()
        await asyncio.sleep(JOB_SECONDS)


async def _converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    jobs: asyncio.Task[None] | None = None
    try:
        while line := await asyncio.wait_for(reader.readline(), IDLE_SECONDS):
            if (reply := _reply(line)) is None:
                return
            method, answer = reply
            writer.write(answer)
            if method == "mining.authorize" and jobs is None:
                jobs = asyncio.create_task(_send_jobs(writer))
            await writer.drain()
    except (ValueError, OSError):  # ValueError: a line without end
        return
    finally:
        if jobs:
            jobs.cancel()
        writer.close()


async def start(address: str) -> None:
    """Serve miners."""
    await asyncio.start_server(_converse, address, home.STRATUM_PORT, limit=MAX_LINE)
