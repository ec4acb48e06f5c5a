"""Threat domains: a device asks for, or speaks to, a name that is on a feed."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ..kinds import Severity
from ..notice import Notice
from ..observations import Listed, Look, Observation
from .detector import Detector, Handler, Home
from .evidence import Measured, about, evidence
from .listed import MANY, Meetings, age

#: How a name was met, in a person's words.
_VIA: Final[Mapping[str, str]] = {
    "dns": "asked for",
    "http": "spoke (HTTP) to",
    "tls": "spoke (TLS) to",
    "quic": "spoke (QUIC) to",
}


class ThreatDomain(Detector):
    """Tells of names once for each device and name in a while."""

    kind = "threat_domain"

    def __init__(self, home: Home) -> None:
        """Begin with nothing."""
        super().__init__(home)
        self._meetings = Meetings("threat_domain")

    def handlers(self) -> Mapping[type[Observation], Handler]:
        """Return what to call for which observation."""
        return {Listed: self._listed, Look: self._look}

    def forget(self, who: str) -> None:
        """Forget a device."""
        self._meetings.forget(who)

    def covers(self, accepted: Mapping[str, Any], notice: Notice) -> bool:
        """Return whether the user accepted this very name."""
        return bool(accepted.get("names") == notice.evidence["names"])

    def _listed(self, listed: Listed) -> Iterator[Notice]:
        """Take a meeting."""
        if listed.name is not None:
            self._meetings.add(listed)
        yield from ()

    def _look(self, _: Look) -> Iterator[Notice]:
        """Tell of this look's meetings."""
        for these in self._meetings.take():
            severities: list[Severity] = [
                "high" if self._meetings.met(each) > MANY else "medium" for each in these
            ]
            due = [
                (each, severity)
                for each, severity in zip(these, severities, strict=True)
                if self._meetings.is_due(each, severity)
            ]
            if len(due) > MANY:
                yield self._many([each for each, _ in due])
            else:
                for each, severity in due:
                    yield self._one(each, severity)

    def _one(self, listed: Listed, severity: Severity) -> Notice:
        """Return the event of one name."""
        self._meetings.told([listed], severity)
        feed = ", ".join(listed.feeds)
        name = listed.address or "" if listed.who is None else self.home.name(listed.who)
        days = age(listed)
        since = "" if days is None else f", for {days:g} days at least"
        blocked = " It is blocked: no answer came." if listed.blocked else ""
        return Notice(
            "threat_domain",
            severity,
            f"{name} {_VIA.get(listed.via, 'met')} {listed.name}, which is on the feed {feed}",
            evidence(
                Measured(
                    "threat_domain",
                    1,
                    1,
                    0.0,
                    f"{listed.entry} is on the feed {feed}{since}; no good device needs it.{blocked}",
                ),
                feed=feed,
                entry=listed.entry,
                age_days=days,
                blocked=listed.blocked,
                via=listed.via,
                names=[listed.name],
                resolved=list(listed.resolved[:MANY]),
            ),
            **about(listed.who)
            | {
                "address": listed.address,
                "peer_address": listed.peer,
                "peer_name": listed.name,
            },
            subject=f"domain {listed.name}",
            time=listed.time,
        )

    def _many(self, meetings: list[Listed]) -> Notice:
        """Return the event of many names at once."""
        self._meetings.told(meetings, "high")
        first, feed = meetings[0], ", ".join(meetings[0].feeds)
        name = first.address or "" if first.who is None else self.home.name(first.who)
        why = (
            f"{name} met {len(meetings)} names of the feed {feed} at once; one may be an advertisement on a page,"
            f" and more than {MANY} are none."
        )
        return Notice(
            "threat_domain",
            "high",
            f"{name} {_VIA.get(first.via, 'met')} {len(meetings)} names on the feed {feed}, such as {first.name}",
            evidence(
                Measured("threat_domain", len(meetings), MANY, 0.0, why),
                feed=feed,
                entry=first.entry,
                age_days=age(first),
                blocked=all(each.blocked for each in meetings),
                via=first.via,
                names=[each.name for each in meetings[:MANY]],
            ),
            **about(first.who) | {"address": first.address, "peer_name": first.name},
            subject=f"many of {feed}",
            time=first.time,
        )
