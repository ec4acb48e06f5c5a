"""A sensor as its metrics see it, with no kernel behind it."""

import time
from collections import Counter
from types import SimpleNamespace
from typing import Any, cast

from hearthwall_sensor.devices import Account, Devices
from hearthwall_sensor.kernel.layouts import Counters
from hearthwall_sensor.metrics.view import View
from hearthwall_sensor.parts import Parts
from hearthwall_sensor.protocol import DeviceRule, Feed
from hearthwall_sensor.reports import Reports
from tests.unit.household import status

SCOPES = ((1000, 10, 2000, 20), (300, 3, 400, 4), (50, 1, 60, 2))


def mac(number: int) -> str:
    return f"00:00:5e:00:{number >> 8:02x}:{number & 255:02x}"


def account(number: int, **fields: Any) -> Account:
    """Return a device's account; the higher its number, the later it came."""
    now = time.time()
    return Account(mac(number), now - 10_000 + number, now, **({"scopes": SCOPES} | fields))


def feed(name: str = "bad", **fields: Any) -> Feed:
    said: dict[str, Any] = {
        "source": "https://lists.example/bad.txt",
        "format": "hosts",
        "action": "drop",
        "interval": 86_400.0,
        "addresses": 7,
        "domains": 5,
        "invalid": 0,
        "subtracted": 0,
        "subtracted_examples": (),
        "updated": time.time() - 60,
        "checked": time.time() - 60,
        "last_error": None,
        "packets": 11,
        "bytes": 1100,
        "first_hit": None,
        "last_hit": None,
    }
    return Feed(name=name, **(said | fields))


class Rules(list[SimpleNamespace]):
    """Rules in force, with what they have counted."""

    def __init__(self) -> None:
        super().__init__()
        self.by_mac: dict[str, DeviceRule] = {}

    def put(self, number: int, mode: str, packets: int, of: str | None = None) -> SimpleNamespace:
        rule = SimpleNamespace(id=number, mode=mode, packets=packets, bytes=100 * packets)
        self.append(rule)
        if of is not None:
            self.by_mac[of] = DeviceRule(number, cast(Any, mode), None)
        return rule

    def counters(self, rule: SimpleNamespace) -> Counters:
        return Counters(packets=rule.packets, bytes=rule.bytes)

    def on_device(self, which: str) -> DeviceRule | None:
        return self.by_mac.get(which)


class Scraped:
    """What a view needs of a sensor's parts."""

    def __init__(self, devices: int = 3, **said: Any) -> None:
        self.devices = Devices()
        self.rules = Rules()
        self.told: Counter[tuple[str, str]] = Counter()
        self.listed: list[Feed] = []
        self.merged: dict[str, str] = {}
        self.status = status(devices=devices, **said)
        for number in range(devices):
            self.devices.accounts[mac(number)] = account(number)

    def view(self, name: Any = None) -> View:
        """Return what sees it from now on."""
        parts = SimpleNamespace(
            devices=self.devices,
            rules=self.rules,
            journal=SimpleNamespace(told=self.told),
            feeds=SimpleNamespace(list=lambda: self.listed),
            chosen=SimpleNamespace(primary=lambda mac: self.merged.get(mac, mac)),
        )
        reports = SimpleNamespace(status=lambda: self.status)
        view = View(cast(Parts, parts), cast(Reports, reports), name)
        view.begin()
        return view
