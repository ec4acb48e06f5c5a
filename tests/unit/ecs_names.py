"""Facts of ECS 8.17: the type of each field that Hearthwall fills, and which of them are lists."""

from typing import Final

_BY_TYPE: Final = {
    "date": "@timestamp event.end event.start",
    "match_only_text": "message",
    "wildcard": "process.command_line process.parent.command_line",
    "float": "event.risk_score",
    "long": """
        destination.port event.sequence event.severity process.parent.pid process.pid source.port
    """,
    "ip": "destination.ip related.ip source.ip threat.indicator.ip",
    "keyword": """
        container.id destination.address destination.domain destination.mac device.id device.manufacturer ecs.version
        event.action event.category event.dataset event.id event.kind event.module event.outcome
        event.provider event.reason event.type host.hostname host.name network.community_id
        network.direction network.protocol network.transport network.type observer.hostname
        observer.name observer.product observer.serial_number observer.type observer.vendor
        observer.version process.executable process.name process.parent.executable related.hosts
        rule.category rule.description rule.name rule.ruleset source.address source.domain
        source.mac threat.feed.name threat.framework threat.indicator.name
        threat.indicator.provider threat.indicator.type threat.tactic.id threat.tactic.name
        threat.technique.id threat.technique.name threat.technique.subtechnique.id
        threat.technique.subtechnique.name
    """,
}
TYPES: Final = {name: kind for kind, names in _BY_TYPE.items() for name in names.split()}

LISTS: Final = frozenset(
    """
    event.category event.type related.hosts related.ip threat.tactic.id threat.tactic.name
    threat.technique.id threat.technique.name threat.technique.subtechnique.id
    threat.technique.subtechnique.name
    """.split()  # noqa: SIM905, a list of names is easier read so
)

#: Which types an event of a category may have.
EVENT_TYPES: Final = {
    "configuration": {"access", "change", "creation", "deletion", "info"},
    "host": {"access", "change", "end", "info", "start"},
    "intrusion_detection": {"allowed", "denied", "info"},
    "network": {
        *("access", "allowed", "connection", "denied", "end", "info", "protocol", "start"),
    },
    "process": {"access", "change", "end", "info", "start"},
}
