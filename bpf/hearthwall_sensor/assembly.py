"""Puts a sensor's parts together: who needs whom."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .changes import Changes
from .devices import Devices
from .feeds.feeds import FEEDS_FOLDER, Feeds
from .feeds.hygiene import protected
from .floods import Floods
from .journal import Journal
from .kernel.tables import Tables
from .names.domains import Domains
from .network.surroundings import Surroundings
from .parts import Parts
from .ports import Ports
from .rules.rules import RULES_FILE, Rules
from .server import Server
from .settings import Settings
from .store import Store
from .threats import Threats
from .totals import Totals


@dataclass(frozen=True, slots=True)
class Given:
    """What is there before the kernel's tables are, and whom to call when a feed has changed."""

    settings: Settings
    pinned: Path
    store: Store
    journal: Journal
    surroundings: Surroundings
    ports: Ports
    changes: Changes
    server: Server
    feeds_changed: Callable[[], None]


def assemble(given: Given) -> Parts:
    """Make the parts that need the kernel's tables, and let them know each other."""
    tables = Tables(str(given.pinned))
    domains = _domains(given, tables)
    feeds = _feeds(given, tables)
    threats = Threats(tables, feeds.name_of, given.journal.note)
    domains.on_match = threats.name_asked
    devices = Devices(given.store.accounts())
    return Parts(
        tables=tables,
        surroundings=given.surroundings,
        ports=given.ports,
        changes=given.changes,
        server=given.server,
        store=given.store,
        devices=devices,
        totals=Totals(devices, tables, given.store, given.surroundings, given.changes),
        rules=Rules(Path(given.settings.state_dir) / RULES_FILE, tables),
        domains=domains,
        feeds=feeds,
        floods=Floods(tables, given.settings.thresholds, given.journal.note),
        threats=threats,
        journal=given.journal,
    )


def _domains(given: Given, tables: Tables) -> Domains:
    """Make what knows the names that rules are on."""
    around = given.surroundings
    return Domains(tables, around.is_protected, around.trusts, watch=given.settings.watch_dns)


def _feeds(given: Given, tables: Tables) -> Feeds:
    """Make what keeps lists of known-bad addresses and names."""
    around = given.surroundings
    return Feeds(
        Path(given.settings.state_dir) / FEEDS_FOLDER,
        tables,
        given.pinned,
        lambda: protected(around.home_networks, around.protection.report(), around.servers),
        given.feeds_changed,
    )
