"""Rules on devices of several MACs: what is missing for two devices to have the same, and what was only repeated."""

import dataclasses
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence

from ..targets import Target
from .rule import Rule, Service, strictness

#: The rules that there are, by target and service.
Held = Mapping[Target, Mapping[Service, Rule]]


def subject_of(held: Held, target: Target, otherwise: int) -> int:
    """Return the number by which a target's rules find each other."""
    return next((each.subject for each in held.get(target, {}).values()), otherwise)


def repeated(rule: Rule, target: Target, number: int, subject: int, copy_of: int | None) -> Rule:
    """Return a rule as it is on another target, with another id."""
    return dataclasses.replace(
        rule, id=number, target=target.value, subject=subject, copy_of=copy_of, instead_of=None
    )


def missing(held: Held, sides: Sequence[Sequence[Target]], next_id: int) -> list[Rule]:
    """Return the rules that are missing for two devices to have the same; each is given by its targets.

    Where only one side has a rule on a service, the other gets copies, which go when the two are parted
    again. Where both have one, the stricter of them is then each side's own.
    """
    targets = list(itertools.chain(*sides))
    services = dict.fromkeys(each for target in targets for each in held.get(target, {}))
    made: list[Rule] = []
    #: All rules on a target share their subject, also those that are made here.
    subjects: dict[Target, int] = {}
    for service in services:
        on_sides = [_own(held, side, service) for side in sides]
        model = max((rule for rule in on_sides if rule is not None), key=strictness)
        for side, rule in zip(sides, on_sides, strict=True):
            if rule is model:
                continue
            first = model.copy_of or model.id if rule is None else None
            for target in side:
                number = next_id + len(made)
                subject = subjects.setdefault(target, subject_of(held, target, number))
                made.append(repeated(model, target, number, subject, first))
                first = first or number
    return made


def _own(held: Held, side: Iterable[Target], service: Service) -> Rule | None:
    """Return a device's rule on a service, the one that the others repeat."""
    found = [held[target][service] for target in side if service in held.get(target, {})]
    return min(found, key=lambda rule: rule.copy_of is not None, default=None)


def copies(held: Held, target: Target, others: Iterable[Target]) -> list[Rule]:
    """Return the rules on a target that repeat those of others, and those that repeat its own."""
    own = held.get(target, {}).values()
    ids = {each.id for each in own}
    elsewhere = (rule for each in others for rule in held.get(each, {}).values())
    return [
        *(each for each in own if each.copy_of is not None),
        *(each for each in elsewhere if each.copy_of in ids),
    ]


def reconciled(
    rules: Sequence[Rule], macs_of: Callable[[str], Iterable[str]], next_id: int
) -> list[Rule]:
    """Return the rules that devices have which were merged or split as far as `macs_of` says.

    A crash between the two files that say so leaves one ahead of the other. A copy whose original is on
    another device goes; a rule on one MAC of a device that its others lack comes on them.
    """
    by_id = {each.id: each for each in rules}
    kept: list[Rule] = []
    for rule in rules:
        original = by_id.get(rule.copy_of) if rule.copy_of is not None else None
        if original is None or rule.target in macs_of(original.target):
            kept.append(rule)
    held: dict[Target, dict[Service, Rule]] = {}
    for rule in kept:
        held.setdefault(rule.about, {})[rule.service] = rule
    for rule in [each for each in kept if each.kind == "mac" and each.copy_of is None]:
        for mac in macs_of(rule.target):
            target = Target("mac", mac)
            if rule.service not in held.get(target, {}):
                number = next_id + len(kept)  # above all ids that there are
                subject = subject_of(held, target, number)
                copied = repeated(rule, target, number, subject, rule.id)
                held.setdefault(target, {})[rule.service] = copied
                kept.append(copied)
    return kept
