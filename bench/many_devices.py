"""What 250 devices that all change every second cost Home Assistant: its event loop, its states, its memory."""

import argparse
import asyncio
import gc
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from bench.figures import Figure, load, show

DEVICES: Final = 250
SECONDS: Final = 120
IDLE_SECONDS: Final = 20
#: Until what the set-up left to be done is done.
SETTLE_SECONDS: Final = 35

_ROOT: Final = Path(__file__).resolve().parents[1]
_CONFIGURATION: Final = "recorder:\nhistory:\nlogger:\n  default: error\n"


# The other end: a process of its own, so that its work is not counted


async def serve(socket: Path, devices: int) -> None:
    """Be a sensor with so many devices, all of which change every second once a line comes in."""
    from tests.homeassistant.peer import Peer, device  # noqa: PLC0415, only in this process

    peer = Peer(socket)
    now = time.time()
    peer.devices = [
        device(
            f"00:00:5e:00:{n >> 8:02x}:{n & 255:02x}",
            hostname=f"device-{n}",
            vendor="Acme",
            addresses=(f"192.168.{n >> 8}.{n & 255}", f"2001:db8::{n:x}"),
            by_scope={
                scope: {
                    "upload_bytes": 1,
                    "download_bytes": 1,
                    "upload_packets": 1,
                    "download_packets": 1,
                }
                for scope in ("internet", "lan", "gateway")
            },
        )
        for n in range(devices)
    ]
    await peer.start()
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    second = 0
    while True:
        began = time.monotonic()
        second += 1
        peer.devices = [
            replace(
                each,
                last_seen=now + second,
                upload_bytes=each.upload_bytes + 10_000 + n,
                download_bytes=each.download_bytes + 100_000 + n,
                # Every rate leaves its dead band each time
                upload_rate=10_000.0 + 1_000 * (second % 7),
                download_rate=100_000.0 + 10_000 * ((second + n) % 5),
            )
            for n, each in enumerate(peer.devices)
        ]
        await peer.tell(devices=peer.devices)
        await asyncio.sleep(max(0.0, 1 - (time.monotonic() - began)))


# What is measured


@dataclass(slots=True)
class Loop:
    """How the event loop's thread fares; a task is one callback or one step of a coroutine, in CPU time."""

    longest_ns: int = 0
    longest: str = ""
    #: The longest pause in which Python looked for garbage, among all objects of Home Assistant.
    collecting_ns: int = 0
    tasks: int = 0
    writes: int = 0
    _began: tuple[float, float, float] = field(default=(0.0, 0.0, 0.0))

    def begin(self) -> None:
        """Begin to measure anew."""
        self.longest_ns, self.longest, self.tasks, self.writes = 0, "", 0, 0
        self.collecting_ns = 0
        self._began = (time.monotonic(), time.thread_time(), time.process_time())

    def shares(self) -> tuple[float, float]:
        """Return the shares of a core, in percent, that this thread and the whole process took."""
        wall, thread, process = self._began
        passed = time.monotonic() - wall
        return (
            (time.thread_time() - thread) / passed * 100,
            (time.process_time() - process) / passed * 100,
        )

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Measure each task for as long as this lasts."""
        handles: Any = asyncio.Handle
        original = handles._run  # noqa: SLF001, nothing else sees every task

        def run(handle: asyncio.Handle) -> None:
            began = time.thread_time_ns()
            original(handle)
            took = time.thread_time_ns() - began
            self.tasks += 1
            if took > self.longest_ns:
                self.longest_ns, self.longest = took, repr(handle)

        here, began = threading.get_ident(), 0

        def collecting(phase: str, _info: dict[str, int]) -> None:
            nonlocal began
            if threading.get_ident() != here:
                return
            now = time.thread_time_ns()
            if phase == "start":
                began = now
            else:
                self.collecting_ns = max(self.collecting_ns, now - began)

        handles._run = run  # noqa: SLF001
        gc.callbacks.append(collecting)
        try:
            yield
        finally:
            gc.callbacks.remove(collecting)
            handles._run = original  # noqa: SLF001


def _resident_mb() -> float:
    """Return how much memory this process has, in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


async def measure(config: Path, socket: Path, begin: Any, seconds: int) -> list[Figure]:
    """Start Home Assistant, add the integration as its owner would, and let the devices change."""
    from homeassistant.bootstrap import async_setup_hass  # noqa: PLC0415, not in the other process
    from homeassistant.const import EVENT_STATE_CHANGED  # noqa: PLC0415
    from homeassistant.core import callback  # noqa: PLC0415
    from homeassistant.runner import RuntimeConfig  # noqa: PLC0415

    loop = Loop()
    with loop.watched():
        hass = await async_setup_hass(RuntimeConfig(config_dir=str(config), skip_pip=True))
        if hass is None:
            raise RuntimeError("Home Assistant did not start")
        await hass.async_start()

        @callback
        def count(_event: Any) -> None:
            loop.writes += 1

        hass.bus.async_listen(EVENT_STATE_CHANGED, count)
        await asyncio.sleep(5)
        loop.begin()
        await asyncio.sleep(IDLE_SECONDS)
        alone = loop.shares()

        memory = _resident_mb()
        loop.begin()
        began = time.monotonic()
        await _add(hass, socket)
        took, thread = time.monotonic() - began, loop.shares()[0]
        setup = (took, took * thread / 100, loop.longest_ns / 1e6, loop.longest)
        entities = len(hass.states.async_all())
        await asyncio.sleep(SETTLE_SECONDS)

        begin()
        await asyncio.sleep(5)  # the first change of all is written at once
        loop.begin()
        await asyncio.sleep(seconds)
        busy = loop.shares()
        writes, longest = loop.writes * 60 / seconds, loop.longest_ns / 1e6
        collecting = loop.collecting_ns / 1e6
        sys.stderr.write(f"longest task: {loop.longest}\nat set-up: {setup[3]}\n")
        memory = _resident_mb() - memory
        await hass.async_stop(force=True)
    return [
        Figure("set-up of 250 devices", round(setup[0], 2), "s"),
        Figure("set-up of 250 devices, event loop", round(setup[1], 2), "s of CPU"),
        Figure("set-up, longest task", round(setup[2], 1), "ms of CPU", 20),
        Figure("entities with a state", entities, "entities"),
        Figure("event loop", round(busy[0] - alone[0], 2), "% of a core", 2),
        Figure("Home Assistant with its recorder", round(busy[1] - alone[1], 2), "% of a core"),
        Figure("longest task", round(longest, 1), "ms of CPU", 20),
        Figure("longest garbage collection in one", round(collecting, 1), "ms of CPU"),
        Figure("state writes", round(writes), "a minute"),
        Figure("memory", round(memory, 1), "MB"),
    ]


async def _add(hass: Any, socket: Path) -> None:
    """Go through the config flow, and wait for the entities."""
    flow = await hass.config_entries.flow.async_init("hearthwall", context={"source": "user"})
    if flow["type"] == "menu":
        step = {"next_step_id": "existing"}
        flow = await hass.config_entries.flow.async_configure(flow["flow_id"], step)
    said = {"socket": str(socket)}
    flow = await hass.config_entries.flow.async_configure(flow["flow_id"], said)
    if flow["type"] != "create_entry":
        raise RuntimeError(f"the flow ended with {flow}")
    await hass.async_block_till_done()


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="bench/home_assistant --devices", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print a JSON list")
    parser.add_argument("--seconds", type=int, default=SECONDS, help=f"default: {SECONDS}")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve(options.serve, DEVICES))
        return 0
    with tempfile.TemporaryDirectory(
        prefix="hearthwall-bench-", ignore_cleanup_errors=True
    ) as folder:
        config, socket = Path(folder) / "config", Path(folder) / "s.sock"
        (config / "custom_components").mkdir(parents=True)
        (config / "configuration.yaml").write_text(_CONFIGURATION)
        (config / "custom_components" / "hearthwall").symlink_to(
            _ROOT / "custom_components" / "hearthwall"
        )
        before = load("before")
        argv = [sys.executable, "-P", "-m", "bench.many_devices", "--serve", str(socket)]
        with subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        ) as sensor:
            next(iter(sensor.stdout or ()))

            def begin() -> None:
                print("go", file=sensor.stdin, flush=True)

            try:
                os.chdir("/")
                figures = asyncio.run(measure(config, socket, begin, options.seconds))
            finally:
                sensor.kill()
    print(show([before, *figures, load("after")], as_json=options.json))
    return 0


if __name__ == "__main__":
    sys.exit(main())
