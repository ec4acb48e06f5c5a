"""Puts a sensor's parts together: who needs whom."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from .changes import Changes
from .devices import Devices
from .feeds.feeds import FEEDS_FOLDER, Feeds
from .feeds.hygiene import protected
from .floods import Floods
from .flows.flows import Flows
from .flows.listing import Context
from .flows.observer import Observer
from .identity.identities import Identities
from .identity.vendors import Vendors
from .journal import Journal
from .kernel.flow_table import FlowTable
from .kernel.layouts import ROLE_SELF
from .kernel.tables import Tables
from .learning.profiles import Profiles
from .names.domains import Domains
from .network.places import Places
from .network.surroundings import Surroundings
from .notation import address_text, boot_ns
from .parts import Parts
from .policy.accepted import Accepted
from .policy.file import POLICY_FILE, PolicyFile
from .policy.responding import Responder
from .ports import Ports
from .protocol import Scope
from .rules.rules import RULES_FILE, Rules
from .server import Server
from .settings import Settings
from .store import Store
from .threats import Threats
from .totals import Roster, Totals


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
    devices, chosen = Devices(given.store.accounts()), given.store.chosen()
    given.journal.primary = chosen.primary
    identities = Identities(
        given.surroundings.is_of_home, given.store.identities(), keep=lambda: chosen.spoken_of
    )
    observer = Observer(identities, _epoch)
    observer.on_dns = domains.take
    places = Places(given.settings.geo)
    policy = PolicyFile(_policy_path(given.settings), chosen.macs, given.store.hints())
    rules = Rules(Path(given.settings.state_dir) / RULES_FILE, tables, chosen.macs)
    flows = Flows(
        FlowTable(tables),
        observer,
        lambda key, first: identities.take_traffic(key.mac, key.address, _epoch(first)),
        lambda: _context(given, observer, places),
    )
    return Parts(
        tables=tables,
        surroundings=given.surroundings,
        ports=given.ports,
        changes=given.changes,
        server=given.server,
        store=given.store,
        devices=devices,
        totals=Totals(
            Roster(devices, identities), tables, given.store, given.surroundings, given.changes
        ),
        identities=identities,
        chosen=chosen,
        vendors=Vendors(),
        places=places,
        rules=rules,
        domains=domains,
        observer=observer,
        flows=flows,
        feeds=feeds,
        floods=Floods(tables, given.settings.thresholds, given.journal.note),
        threats=threats,
        journal=given.journal,
        policy=policy,
        profiles=Profiles((), policy.device),
        accepted=Accepted(given.store.accepted(), chosen.macs),
        responder=Responder(rules, given.surroundings.is_home),
    )


def _policy_path(settings: Settings) -> Path:
    """Return where the policy is."""
    return Path(settings.policy or Path(settings.state_dir) / POLICY_FILE)


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


def _context(given: Given, observer: Observer, places: Places) -> Context:
    """Return what describing flows needs to know, as of now."""
    around, interfaces = given.surroundings, given.ports.names()

    def scope(peer: bytes) -> Scope:
        text = address_text(peer)
        if around.protection.addresses.get(text, 0) & ROLE_SELF:
            return "gateway"
        return "lan" if around.is_home(text) else "internet"

    return Context(
        now=boot_ns(),
        epoch=_epoch,
        label=observer.label,
        scope=lru_cache(maxsize=1024)(scope),
        place=places.find,
        interfaces=interfaces.get,
    )


def _epoch(nanoseconds: int) -> float:
    """Return a time since boot as seconds since the epoch."""
    return time.time() + (nanoseconds - boot_ns()) / 1e9
