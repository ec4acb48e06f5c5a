"""Running the short-lived child from the sensor: one job, one swap, one report."""

import asyncio
import contextlib
import json
import sys
from collections.abc import Callable
from typing import Any

from ..kernel.units import SOURCES
from ..protocol import SensorError


async def gather_in_child(
    job: dict[str, Any], switch: Callable[[int], None], seconds: float
) -> dict[str, Any]:
    """Run `gather` in a process of its own; raises what it raised. It ends with this call, come what may."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        str(SOURCES / "hearthwall-sensor"),
        "gather",
        "--json",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        pass_fds=tuple(job["held"].values()),
    )
    try:
        async with asyncio.timeout(seconds):
            answer = await _talk(child, job, switch)
            await child.wait()
    except TimeoutError:
        raise SensorError(
            "feed_failed", f"the lists were not read within {seconds:.0f} s"
        ) from None
    finally:
        if child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()
    if "error" in answer:
        raise SensorError(answer["error"]["code"], answer["error"]["message"])
    return answer


async def _talk(
    child: asyncio.subprocess.Process, job: dict[str, Any], switch: Callable[[int], None]
) -> dict[str, Any]:
    """Give the job, swap when the child says that the tables are filled, and return what it says last."""
    assert child.stdin is not None  # noqa: S101, for the type checker
    assert child.stdout is not None  # noqa: S101
    answer: dict[str, Any] = {}
    try:
        child.stdin.write(json.dumps(job).encode() + b"\n")
        await child.stdin.drain()
        first = await child.stdout.readline()
        with contextlib.suppress(ValueError):
            answer = json.loads(first)
            if "loaded" in answer:
                switch(int(answer["loaded"]))
                child.stdin.write(b"go on\n")
                await child.stdin.drain()
                first = b""
        answer = json.loads(first + await child.stdout.read())
    except (ConnectionError, ValueError):
        await child.wait()
        raise SensorError(
            "feed_failed",
            f"reading the lists failed (the process ended with {child.returncode}); the log may say why",
        ) from None
    return answer
