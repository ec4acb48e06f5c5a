"""Port scans: a device tries many ports of one host, and fails at most of them."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ..flows.flow import TCP
from ..kinds import Severity
from ..notation import address_text
from ..notice import Notice
from ..observations import Flow, Observation, Settled
from ..per_device import PerDevice
from .attempts import AGAIN, FAST, MAX_SCANNERS, Attempt, Group, Groups, Verdict, attempt
from .detector import Detector, Handler, Home
from .evidence import Measured, about, evidence

#: Ports of one host (Zeek's misc/scan). Of UDP twice as many: silence is no refusal.
_PORTS: Final[Mapping[str, int]] = {"tcp": 15, "udp": 30}
_SHOWN: Final = 20


class PortScan(Detector):
    """Who tries many ports of one host: devices, and hosts of the internet at devices."""

    kind = "port_scan"

    def __init__(self, home: Home) -> None:
        """Begin with nothing."""
        super().__init__(home)
        self._devices = PerDevice(Groups, MAX_SCANNERS)
        #: Scanners outside, by address: however many there are, they push out only each other.
        self._outside = PerDevice(Groups, MAX_SCANNERS)

    def handlers(self) -> Mapping[type[Observation], Handler]:
        """Return what to call for which observation."""
        return {Settled: self._settled}

    def forget(self, who: str) -> None:
        """Forget a device."""
        self._devices.forget(who)

    def covers(self, accepted: Mapping[str, Any], notice: Notice) -> bool:
        """Return whether the user accepted scans of this very host."""
        return bool(accepted.get("target") == notice.evidence["target"])

    def _settled(self, settled: Settled) -> Iterator[Notice]:
        """Take a flow that is over, or waits."""
        tried = attempt(settled)
        if tried is None or tried.transport not in _PORTS or settled.who in self.home.own():
            return
        flow, now = settled.flow, settled.time
        scanners, who = (
            (self._devices, settled.who) if flow.is_outgoing else (self._outside, flow.peer)
        )
        if tried.fate != "failed" and scanners.find(who) is None:
            return
        groups = scanners.of(who, now)
        group = groups.add((tried.transport, tried.host), tried.port, tried.fate, now)
        if tried.fate != "failed" or group is None:
            return
        groups.note(flow)
        least = _PORTS[tried.transport] * self.home.policy(settled.who).factor
        verdict = group.judge(now, least, least)
        if verdict is not None and now - group.told >= AGAIN:
            group.told = now
            yield self._notice(settled, tried, (groups, group), verdict)

    def _notice(
        self, settled: Settled, tried: Attempt, scanner: tuple[Groups, Group], verdict: Verdict
    ) -> Notice:
        """Return the event."""
        flow, (groups, group) = settled.flow, scanner
        name, host = self.home.name(settled.who), address_text(tried.host)
        least = _PORTS[tried.transport] * self.home.policy(settled.who).factor
        within = "5 minutes" if verdict.window == FAST else "a day"
        ports = f"{tried.transport.upper()} ports"
        if flow.is_outgoing:
            summary = f"{name} tries many {ports} of {host}: {verdict.tried} within {within}"
            why = (
                f"Programs know their port; {name} failed at {verdict.failed} different {ports} of one host"
                f" within {within}, and {least:g} are a scan."
            )
        else:
            summary = f"{flow.peer} on the internet tries many {ports} of {name}: {verdict.tried} within {within}"
            why = (
                f"{verdict.failed} different {ports} of {name} were tried in vain from one address within {within},"
                f" and {least:g} are a scan; such scans are everyday where packets from outside reach a device."
            )
        where = f"host {host}" if flow.is_outgoing else "from the internet"
        return Notice(
            "port_scan",
            _severity(flow, verdict),
            summary,
            evidence(
                Measured("port_scan", verdict.tried, least, verdict.window, why),
                _of(groups, flow),
                target=host if flow.is_outgoing else "from the internet",
                transport=tried.transport,
                failed=verdict.failed,
                open_ports=sorted(verdict.found, key=str)[:_SHOWN],
                ports=group.latest(_SHOWN),
                **({} if flow.is_outgoing else {"blame": "peer"}),
            ),
            **about(settled.who, flow),
            subject=groups.subject(where, settled.time),
            time=settled.time,
        )


def _of(groups: Groups, flow: Flow) -> list[Flow]:
    """Return the flows to be shown: those between these two."""
    return [each for each in groups.flows if each.key.peer == flow.key.peer]


def _severity(flow: Flow, verdict: Verdict) -> Severity:
    """Return how bad it is: what knocks from outside finds something, or it does not."""
    if flow.is_outgoing:
        return "medium"
    return "low" if verdict.found and flow.key.protocol == TCP else "info"
