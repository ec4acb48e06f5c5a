"""A rule as the protocol tells it."""

from ..kernel.layouts import Counters
from ..notation import epoch
from ..protocol import Block
from .rule import Rule


def told(rule: Rule, counters: Counters, *, enforced: bool = True) -> Block:
    """Return a rule with what it has counted, and whether the kernel enforces it."""
    latency = counters.first_hit - rule.ordered
    return Block(
        id=rule.id,
        target=rule.target,
        kind=rule.kind,
        mode=rule.mode,
        allow=rule.allow,
        reason=rule.reason,
        created=rule.created,
        expires=epoch(rule.expires),
        confirm_by=epoch(rule.confirm_by),
        packets=counters.packets,
        bytes=counters.bytes,
        first_hit=epoch(counters.first_hit or None),
        last_hit=epoch(counters.last_hit or None),
        latency_ms=round(latency / 1e6, 3)
        if rule.ordered and counters.first_hit and latency >= 0
        else None,
        transport=rule.transport,
        port=rule.port,
        direction=rule.direction,
        peers=rule.peers,
        bytes_per_second=rule.bytes_per_second,
        packets_per_second=rule.packets_per_second,
        redirect_to=rule.redirect_to,
        audits=rule.audits,
        children=rule.children,
        enforced=enforced,
        asked=rule.asked,
        program=rule.program,
    )
