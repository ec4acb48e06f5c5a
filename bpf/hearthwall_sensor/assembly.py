"""Puts a sensor's parts together: who needs whom."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Final

from .changes import Changes
from .damage import Damage
from .detection import Consequences
from .devices import Devices
from .feeds.feeds import FEEDS_FOLDER, Feeds
from .feeds.hygiene import protected
from .floods import Floods
from .flows.flows import Flows
from .flows.listing import Context
from .flows.observed import World
from .flows.observer import Observer
from .flows.witness import Witness
from .identity.identities import Identities
from .identity.vendors import Vendors
from .journal import Journal
from .judging import Judge
from .kernel.flow_table import FlowTable
from .kernel.layouts import ROLE_SELF
from .kernel.process_rules import ProcessRules
from .kernel.tables import Tables
from .learning.past import Past
from .learning.profiles import Profiles
from .living import LivingHome
from .mud.descriptions import Descriptions
from .names.domains import Domains
from .network.places import Places
from .network.surroundings import Surroundings
from .notation import address_text, boot_ns
from .observations import Observation
from .own_processes import OwnProcesses, looking
from .parts import Parts
from .policy.accepted import Accepted
from .policy.blame import Blame
from .policy.file import POLICY_FILE, PolicyFile
from .policy.responding import Responder
from .ports import Ports
from .processes.attribution import Attribution
from .processes.processes import Processes
from .protocol import Scope
from .rules.host import ran_at, started
from .rules.rules import RULES_FILE, Rules
from .server import Server
from .settings import Settings
from .sinks.sinks import Sinks
from .store import Store
from .threats import Threats
from .totals import Roster, Totals
from .tracing import opening
from .watching import Watch

#: Of an hour, in seconds.
_QUARTER: Final = 900


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
    attribution: Attribution | None
    """None where this host's own processes are not watched."""


def assemble(given: Given) -> Parts:
    """Make the parts that need the kernel's tables, and let them know each other."""
    tables = Tables(str(given.pinned))
    domains = _domains(given, tables)
    feeds = _feeds(given, tables)
    devices, chosen = Devices(given.store.accounts()), given.store.chosen()
    given.journal.primary = chosen.primary
    identities = Identities(
        given.surroundings.is_of_home, given.store.identities(), keep=lambda: chosen.spoken_of
    )
    observer = Observer(identities, _epoch)
    observer.on_dns = domains.take
    places = Places(given.settings.geo)
    descriptions = Descriptions(
        given.store.descriptions(),
        lambda mac: identities.mud_url(chosen.macs(mac)),
        lambda mac: policy.device(mac).mud_from_device,
    )
    policy = PolicyFile(
        _policy_path(given.settings),
        chosen.macs,
        given.store.hints(),
        descriptions.expectations,
    )
    watched = given.attribution
    on_processes = None if watched is None else ProcessRules(watched.tables, started)
    rules = Rules(Path(given.settings.state_dir) / RULES_FILE, tables, chosen.macs, on_processes)
    profiles = Profiles(given.store.profiles(), policy.device, _ahead_of_utc)
    accepted = Accepted(given.store.accepted(), chosen.macs)
    around = given.surroundings
    is_settled = partial(_is_settled, devices)
    given.journal.is_settled = is_settled
    responder = Responder(rules, Blame(around.is_home, around.is_protected, is_settled, ran_at))
    past = Past(given.store.meta(), devices)
    living = LivingHome(
        given.surroundings, devices, identities, chosen, profiles, policy, past.since
    )
    judge = Judge(
        living,
        Consequences(
            *(given.journal.note, accepted.of, responder.respond),
            partial(_learn, profiles, responder),
        ),
    )
    threats = Threats(tables, feeds, living.device, judge.take)
    judge.then = threats.take
    domains.on_match = threats.name_asked
    table = FlowTable(tables)
    living.counted = table.find
    flows = Flows(
        table,
        observer,
        lambda key, first: identities.take_traffic(key.mac, key.address, _epoch(first)),
        lambda: _context(given, observer, places),
    )
    flows.looked, flows.tell, flows.device = past.looked, judge.take, living.device
    flows.is_settled = lambda mac: _is_settled(devices, mac.hex(":"))
    observer.witness = Witness(
        judge.take,
        World(living.device, partial(_scope, given.surroundings), places.find, _epoch),
        flows.opener,
    )
    observer.witness.minds = policy.forbids
    own = _own_processes(given, judge, places, rules, on_processes)
    totals = Totals(
        Roster(devices, identities, profiles),
        tables,
        given.store,
        given.surroundings,
        given.changes,
    )
    totals.remembered = lambda: past.now(flows.looked)
    return Parts(
        tables=tables,
        surroundings=given.surroundings,
        ports=given.ports,
        changes=given.changes,
        server=given.server,
        store=given.store,
        devices=devices,
        totals=totals,
        identities=identities,
        chosen=chosen,
        vendors=Vendors(),
        places=places,
        rules=rules,
        domains=domains,
        observer=observer,
        flows=flows,
        feeds=feeds,
        floods=Floods(tables, given.settings.thresholds, living.device, judge.take),
        threats=threats,
        journal=given.journal,
        policy=policy,
        profiles=profiles,
        accepted=accepted,
        descriptions=descriptions,
        responder=responder,
        detection=judge.detection,
        watch=Watch(flows, devices, chosen.primary, judge.take, looking(own)),
        damage=Damage(Path(given.settings.state_dir)),
        sinks=_sinks(given),
        own=own,
    )


def _sinks(given: Given) -> Sinks | None:
    """Make what delivers events to the sinks that the settings' file names; None where it names none."""
    settings, journal = given.settings, given.journal
    if not settings.sinks:
        return None
    sinks = Sinks(settings.sinks, settings.socket, settings.state_dir, lambda: journal.last)
    given.server.role_of = sinks.role_of
    return sinks


def _own_processes(
    given: Given, judge: Judge, places: Places, rules: Rules, on_processes: ProcessRules | None
) -> OwnProcesses | None:
    """Make what knows, restricts and traces processes of this host; None where they are not watched."""
    watched = given.attribution
    if watched is None or on_processes is None:
        return None
    known = Processes(
        tell=judge.take,
        scope=partial(_scope, given.surroundings),
        place=places.find,
        epoch=_epoch,
        current=watched.image,
        rule=rules.on_program,
        socket=watched.socket,
    )
    known.on_called = opening.teller(judge.take, _epoch)
    watched.enforce(on_processes, known.images)
    tracing = opening.opened(watched.folder, watched.tracepoints, known, _epoch)
    return OwnProcesses(watched, known, on_processes, tracing)


def _learn(profiles: Profiles, responder: Responder, observation: Observation) -> None:
    """Learn an observation after the detectors."""
    profiles.learn(observation)
    responder.blame.take(observation)


def _is_settled(devices: Devices, mac: str) -> bool:
    """Return whether a device has been known for ten minutes: longer than whoever invents devices keeps to one."""
    account = devices.accounts.get(mac)
    return account is not None and account.first_seen < time.time() - 600.0


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
    interfaces, scope = given.ports.names(), partial(_scope, given.surroundings)
    return Context(
        now=boot_ns(),
        epoch=_epoch,
        label=observer.label,
        scope=lru_cache(maxsize=1024)(scope),
        place=places.find,
        interfaces=interfaces.get,
    )


def _scope(around: Surroundings, peer: bytes) -> Scope:
    """Return where a peer is, seen from a device."""
    text = address_text(peer)
    if around.protection.addresses.get(text, 0) & ROLE_SELF:
        return "gateway"
    return "lan" if around.is_home(text) else "internet"


def _ahead_of_utc(moment: float) -> float:
    """Return how many seconds this host's local time is ahead of UTC at a time: asked of every flow."""
    return _ahead_in(int(moment // _QUARTER))


@lru_cache(maxsize=16)
def _ahead_in(quarter: int) -> float:
    """Return it for a quarter of an hour, as which no zone's clock changes within."""
    return float(time.localtime(quarter * _QUARTER).tm_gmtoff)


def _epoch(nanoseconds: int) -> float:
    """Return a time since boot as seconds since the epoch."""
    return time.time() + (nanoseconds - boot_ns()) / 1e9
