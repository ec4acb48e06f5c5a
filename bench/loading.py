"""How long 200,000 prefixes take from their file to being in force, and what passes while lists are swapped."""

import asyncio
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from bench import blocklist, datagrams, frames
from bench.figures import Figure
from bench.hearthwall import ISOLATE, Programs, loaded
from bench.router import LAN, Router
from hearthwall_sensor.feeds.child import gather_in_child
from hearthwall_sensor.kernel import attachment

_PREFIXES: Final = 200_000
#: A host that is on both lists, in a network that is nobody's (RFC 5737).
_LISTED: Final = "203.0.113.10"
_NETWORK: Final = "203.0.113.0/24"
_RATE: Final = 20_000
_BURST: Final = 2_000
_TIMEOUT: Final = 60.0


class Lists:
    """Two lists, and the programs that judge by one of them."""

    def __init__(self, folder: Path, programs: Programs) -> None:
        self._folder = folder
        self._programs = programs
        self._key = secrets.token_hex(16)
        self._sources = [folder / f"list-{number}" for number in range(2)]
        for number, path in enumerate(self._sources):
            blocklist.write(path, _PREFIXES, seed=number, host=_LISTED)

    def swap(self, number: int) -> tuple[float, float]:
        """Put a list in force; return the seconds until it was, and until all of the other had gone."""
        feed = {
            "name": "bench",
            "slot": 0,
            "source": str(self._sources[number % 2]),
            "format": "auto",
            "header_file": None,
            "wanted": True,
        }
        job: dict[str, Any] = {
            "folder": str(self._folder),
            "key": self._key,
            "pins": str(self._programs.directory),
            "protected": {},
            "in_force": self._programs.tables.feeds,
            "reload": True,
            "feeds": [feed],
        }
        begun = time.monotonic()
        in_force: list[float] = []

        def switch(which: int) -> None:
            self._programs.tables.set_feeds(which)
            in_force.append(time.monotonic() - begun)

        report = asyncio.run(gather_in_child(job, switch, _TIMEOUT))["feeds"]["bench"]
        if report["error"] or report["addresses"] < _PREFIXES * 0.9:
            raise AssertionError(f"the list was not loaded: {report}")
        return in_force[0], time.monotonic() - begun


@contextmanager
def _traffic(router: Router) -> Iterator[Callable[[], int]]:
    """Have the device talk to the listed host; give what ends that and returns how many packets it sent."""
    stop = threading.Event()

    def send() -> int:
        sent = 0
        while not stop.is_set():
            datagrams.send(router.device, (_LISTED, frames.PORT), _BURST, _RATE, 1)
            sent += _BURST
        return sent

    with ThreadPoolExecutor(1) as thread:
        sending: Future[int] = thread.submit(send)

        def end() -> int:
            stop.set()
            return sending.result()

        try:
            yield end
        finally:
            stop.set()


def _arrived(router: Router) -> int:
    """Return how many packets have reached the server, once those on their way have."""
    time.sleep(0.1)
    return router.reference.arrived()


def measure(folder: Path, rounds: int) -> list[Figure]:
    """Return the figures of loading."""
    router = Router(folder)
    router.gateway.ip(f"route add {_NETWORK} via {frames.FAR}")
    with loaded(folder, "lists", 0) as programs:
        lists = Lists(folder, programs)
        programs.tables.put_list_rule(0, ISOLATE)
        ingress = attachment.ATTACH_TCX_INGRESS
        with (
            router.classifier(router.reference.programs["sink"], ingress, router.server, "in"),
            router.classifier(programs.program("meter_ingress"), ingress, router.gateway, LAN),
        ):
            datagrams.send(router.device, (_LISTED, frames.PORT), _BURST, _RATE, 1)
            if (before := _arrived(router)) != _BURST:
                raise AssertionError(
                    f"{before} of {_BURST} packets arrive where no list is in force"
                )
            times = [lists.swap(0)]
            before = _arrived(router)
            with _traffic(router) as end:
                times += [lists.swap(number) for number in range(1, rounds)]
                sent = end()
            passed = _arrived(router) - before
    in_force, done = (list(column) for column in zip(*times, strict=True))
    return [
        Figure.median("200,000 prefixes, file to in force", in_force, "s", 2.0),
        Figure.median("200,000 prefixes, until the old list has gone", done, "s", None),
        Figure(
            f"packets of a listed peer that passed, of {sent} during swaps", passed, "packets", 0.0
        ),
    ]
