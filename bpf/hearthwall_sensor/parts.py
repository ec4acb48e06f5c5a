"""What a running sensor is made of, for those who need several of its parts."""

from dataclasses import dataclass

from .changes import Changes
from .damage import Damage
from .detection import Detection
from .devices import Devices
from .feeds.feeds import Feeds
from .floods import Floods
from .flows.flows import Flows
from .flows.observer import Observer
from .identity.chosen import Chosen
from .identity.identities import Identities
from .identity.vendors import Vendors
from .journal import Journal
from .kernel.tables import Tables
from .learning.profiles import Profiles
from .mud.descriptions import Descriptions
from .names.domains import Domains
from .network.places import Places
from .network.surroundings import Surroundings
from .own_processes import OwnProcesses
from .policy.accepted import Accepted
from .policy.file import PolicyFile
from .policy.responding import Responder
from .ports import Ports
from .rules.rules import Rules
from .server import Server
from .sinks.sinks import Sinks
from .store import Store
from .threats import Threats
from .totals import Totals
from .watching import Watch


@dataclass(frozen=True, slots=True)
class Parts:
    """All parts of one sensor, from when its programs are loaded."""

    tables: Tables
    surroundings: Surroundings
    ports: Ports
    changes: Changes
    server: Server
    store: Store
    devices: Devices
    totals: Totals
    identities: Identities
    chosen: Chosen
    vendors: Vendors
    places: Places
    rules: Rules
    domains: Domains
    observer: Observer
    flows: Flows
    feeds: Feeds
    floods: Floods
    threats: Threats
    journal: Journal
    policy: PolicyFile
    profiles: Profiles
    accepted: Accepted
    descriptions: Descriptions
    responder: Responder
    detection: Detection
    watch: Watch
    damage: Damage
    sinks: Sinks | None
    """None where the settings name none."""
    own: OwnProcesses | None
    """None where processes of this host are not watched."""
