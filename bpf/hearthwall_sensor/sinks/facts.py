"""What logs without a schema of their own say of an event beside its sentence: names for the fields of its document."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from .ecs import Flat


class Fact(NamedTuple):
    """One fact, by its name in syslog's structured data, in the journal, and in ECS."""

    param: str
    journal: str
    field: str


#: The most important ones first: the last ones give way where there is no room.
FACTS: Final = (
    Fact("seq", "SEQUENCE", "event.sequence"),
    Fact("kind", "KIND", "event.action"),
    Fact("severity", "SEVERITY", "hearthwall.severity"),
    Fact("id", "EVENT_ID", "event.id"),
    Fact("device", "DEVICE", "hearthwall.device.mac"),
    Fact("srcIp", "SOURCE_IP", "source.ip"),
    Fact("srcPort", "SOURCE_PORT", "source.port"),
    Fact("dstIp", "DESTINATION_IP", "destination.ip"),
    Fact("dstPort", "DESTINATION_PORT", "destination.port"),
    Fact("transport", "TRANSPORT", "network.transport"),
    Fact("application", "APPLICATION", "network.protocol"),
    Fact("communityId", "COMMUNITY_ID", "network.community_id"),
    Fact("technique", "TECHNIQUE", "threat.technique.id"),
    Fact("detector", "DETECTOR", "rule.name"),
    Fact("feed", "FEED", "threat.feed.name"),
    Fact("pid", "PID", "process.pid"),
    Fact("deviceName", "DEVICE_NAME", "hearthwall.device.name"),
    Fact("deviceMaker", "DEVICE_MAKER", "device.manufacturer"),
    Fact("srcName", "SOURCE_NAME", "source.domain"),
    Fact("dstName", "DESTINATION_NAME", "destination.domain"),
    Fact("program", "PROGRAM", "process.executable"),
    Fact("subject", "SUBJECT", "hearthwall.subject"),
)

#: Syslog's severity, which journald has as well: notice is what a person need not see at once.
PRIORITIES: Final = {"info": 6, "low": 5, "medium": 4, "high": 3, "critical": 2}


def facts(fields: Flat) -> Iterator[tuple[Fact, str]]:
    """Return what a document says of each fact, where it says something."""
    for fact in FACTS:
        value = fields.get(fact.field)
        if fact.param == "technique":
            value = fields.get("threat.technique.subtechnique.id", value)
        if isinstance(value, list):
            value = ",".join(map(str, value))
        if value is not None:
            yield fact, str(value)
