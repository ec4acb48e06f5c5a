"""A process that has used up its memory ends at once, wherever that comes; each way in a process of its own."""

import asyncio
import errno
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from hearthwall_sensor.protocol import Event
from hearthwall_sensor.sinks.delivery import Delivery
from hearthwall_sensor.sinks.failures import lacks_memory
from hearthwall_sensor.sinks.ledger import Account
from hearthwall_sensor.sinks.sink import SinkError
from tests.unit.test_sinks import Past, Receiver, event, named

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
    "threads": """
    async def work():
        stay = threading.Event()
        while True:
            threading.Thread(target=stay.wait, daemon=True).start()
    asyncio.ensure_future(limits.bounded(work()))""",
    "the kernel": """
    async def work():
        raise OSError(12, "Cannot allocate memory")
    asyncio.ensure_future(limits.bounded(work()))""",
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


def test_as_many_threads_as_sinks_can_need_leave_room_for_their_work() -> None:
    """Sixteen brokers have one each, and asyncio has up to 32 for what blocks."""
    ended = run("""
    stay = threading.Event()
    threads = [threading.Thread(target=stay.wait) for _ in range(16 + 32)]
    for each in threads:
        each.start()
    work = bytearray(limits.MEMORY // 2)
    stay.set()
    return""")
    assert ended.returncode == 0, ended.stderr


def test_other_mistakes_end_nothing() -> None:
    ended = run("""
    loop.call_soon(lambda: 1 / 0)
    threading.Thread(target=lambda: {}[1]).start()
    await asyncio.sleep(0.1)
    return""")
    assert ended.returncode == 0
    assert "ZeroDivisionError" in ended.stderr
    assert "KeyError" in ended.stderr


def _take_far_too_much() -> None:
    bytearray(2**62)


def _have_no_thread() -> None:
    raise RuntimeError("can't start new thread")


def _ask_a_kernel_without_memory() -> None:
    raise OSError(errno.ENOMEM, "Cannot allocate memory")


@pytest.mark.parametrize("is_hidden", [False, True])
@pytest.mark.parametrize(
    "lack", [_take_far_too_much, _have_no_thread, _ask_a_kernel_without_memory]
)
async def test_nothing_is_delivered_without_memory(
    lack: Callable[[], None], is_hidden: bool
) -> None:
    """What the process does then is `limits`."""

    class Starved(Receiver):
        async def send(self, events: Sequence[Event]) -> None:
            try:
                lack()
            except Exception as error:
                if not is_hidden:
                    raise
                raise SinkError("the answer broke off") from error

    account = Account(0)
    one = Delivery(named(), Starved(), account, Past([event(1)]).journal())
    async with asyncio.timeout(5):
        with pytest.raises(MemoryError):
            await one.run()
    assert (account.cursor, account.refused) == (0, 0)


def test_no_receiver_says_that_memory_is_lacking() -> None:
    class SaidError(OSError):
        """As libraries make of an answer's number."""

    assert not lacks_memory(SaidError(errno.ENOMEM, "012 welcome"))
    assert lacks_memory(OSError(errno.ENOMEM, "Cannot allocate memory"))
