"""A process that has used up its memory ends at once, wherever that comes; each way in a process of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

#: Far more than the process may take, and no more than the machine may give: nothing is written to it.
_PROGRAM = """
import asyncio, sys, threading, time
sys.path.insert(0, {path!r})
from hearthwall_sensor.sinks import limits

def take():
    return bytearray(limits.MEMORY * 2)

async def fine():
    await asyncio.sleep(0)

async def main():
    loop = asyncio.get_running_loop()
    limits.set_up(loop)
    await limits.bounded(fine())
{way}
    await asyncio.sleep(20)

asyncio.run(main())
"""
_WAYS = {
    "a task": """
    async def work():
        take()
    asyncio.ensure_future(limits.bounded(work()))""",
    "a callback": """
    loop.call_soon(take)""",
    "a task of nobody's": """
    async def work():
        take()
    asyncio.ensure_future(work())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    import gc; gc.collect()""",
    "a thread": """
    threading.Thread(target=take, daemon=True).start()""",
    "an end": """
    class Thing:
        def __del__(self):
            take()
    Thing()""",
}


def run(way: str) -> subprocess.CompletedProcess[str]:
    """Run a process that uses up its memory in one way."""
    program = _PROGRAM.format(path=str(ROOT / "bpf"), way=way)
    line = [sys.executable, "-c", program]
    return subprocess.run(line, capture_output=True, text=True, timeout=15, check=False)


@pytest.mark.parametrize("way", _WAYS)
def test_who_has_no_memory_ends_at_once(way: str) -> None:
    ended = run(_WAYS[way])
    assert ended.returncode == 70, ended.stderr
    assert ended.stderr.endswith("used up its memory and ends\n")


def test_other_mistakes_end_nothing() -> None:
    ended = run("""
    loop.call_soon(lambda: 1 / 0)
    threading.Thread(target=lambda: {}[1]).start()
    await asyncio.sleep(0.1)
    return""")
    assert ended.returncode == 0
    assert "ZeroDivisionError" in ended.stderr
    assert "KeyError" in ended.stderr
