"""What two devices lack to have the same rules, and what goes when they are parted."""

import dataclasses
from typing import Any

from hearthwall_sensor.rules.joining import Held, copies, missing, reconciled
from hearthwall_sensor.rules.rule import Rule, Service, strictness
from hearthwall_sensor.targets import Target

A, B, C = (Target("mac", f"00:00:5e:00:53:0{n}") for n in (1, 2, 3))
DNS = {"transport": "udp", "port": 53}


def rule(number: int, target: Target, mode: str = "isolate", **fields: Any) -> Rule:
    said: dict[str, Any] = {"allow": (), "reason": "", "created": 0.0, "ordered": 0}
    return Rule(
        id=number,
        target=target.value,
        kind="mac",
        mode=mode,  # type: ignore[arg-type]
        **(said | {"subject": number} | fields),
    )


def held(*rules: Rule) -> dict[Target, dict[Service, Rule]]:
    found: dict[Target, dict[Service, Rule]] = {}
    for each in rules:
        found.setdefault(each.about, {})[each.service] = each
    return found


def joined(before: Held, *sides: list[Target]) -> dict[Target, dict[Service, Rule]]:
    """Return the rules as they are when what was missing is there."""
    after = {target: dict(on_target) for target, on_target in before.items()}
    for each in missing(before, sides, 100):
        after.setdefault(each.about, {})[each.service] = each
    return after


def said(rules: Held, target: Target) -> set[tuple[Service, str]]:
    return {(service, each.mode) for service, each in rules.get(target, {}).items()}


def test_what_one_has_the_other_gets_as_a_copy() -> None:
    before = held(rule(1, A), rule(2, B, "no_internet", **DNS))
    after = joined(before, [A], [B])
    assert (
        said(after, A)
        == said(after, B)
        == {((None, None), "isolate"), (("udp", 53), "no_internet")}
    )
    assert [each.copy_of for each in after[A].values()] == [None, 2]
    assert {each.copy_of for each in after[B].values()} == {None, 1}
    assert len({each.id for rules in after.values() for each in rules.values()}) == 4
    gone = copies(after, B, [A])
    assert {(each.target, each.service) for each in gone} == {
        (B.value, Service()),
        (A.value, Service("udp", 53)),
    }


def test_nothing_is_missing_where_nothing_is_or_both_are_equal_by_merging() -> None:
    assert missing({}, [[A], [B]], 1) == []
    once = joined(held(rule(1, A)), [A], [B])
    assert copies(once, A, [B]) == [once[B][Service()]]


def test_the_stricter_of_two_is_each_ones_own() -> None:
    for mode, other in (
        ("audit", "rate_limit"),
        ("no_internet", "isolate"),
        ("rate_limit", "isolate"),
    ):
        for first, second in ((mode, other), (other, mode)):
            after = joined(held(rule(1, A, first), rule(2, B, second)), [A], [B])
            assert said(after, A) == said(after, B) == {((None, None), other)}
            assert copies(after, A, [B]) == copies(after, B, [A]) == []


def test_of_equals_the_first_ones_counts_and_the_longer_one_before_it() -> None:
    after = joined(held(rule(1, A, reason="a"), rule(2, B, reason="b")), [A], [B])
    assert after[B][Service()].reason == "a"
    after = joined(held(rule(1, A, expires=5), rule(2, B, expires=9)), [A], [B])
    assert after[A][Service()].expires == 9
    assert strictness(rule(1, A, expires=9)) < strictness(rule(1, A))
    assert strictness(rule(1, A, direction="from_lan")) < strictness(rule(1, A))


def test_all_macs_of_both_get_the_rule_and_its_copies_know_whose_they_are() -> None:
    before = held(rule(1, A, "audit"), rule(2, B, "audit", copy_of=1), rule(3, C))
    after = joined(before, [A, B], [C])
    assert [after[each][Service()].mode for each in (A, B, C)] == ["isolate"] * 3
    own = after[A][Service()]
    assert (own.copy_of, after[B][Service()].copy_of, after[C][Service()].copy_of) == (
        None,
        own.id,
        None,
    )
    assert copies(after, B, [A, C]) == [after[B][Service()]]
    assert copies(after, C, [A, B]) == []
    # A device without rules joins one whose rule is on two MACs.
    after = joined(held(rule(1, A), rule(2, B, copy_of=1)), [C], [B, A])
    assert after[C][Service()].copy_of == 1


def test_rules_of_one_target_share_their_subject() -> None:
    before = held(rule(7, A), rule(8, B, **DNS))
    fresh = missing(held(rule(7, A), rule(9, A, **DNS)), [[A], [B]], 100)
    assert [each.subject for each in fresh] == [100, 100]
    made = {(each.target, each.service): each for each in missing(before, [[A], [B]], 100)}
    assert made[A.value, Service("udp", 53)].subject == 7
    assert made[B.value, Service()].subject == 8
    assert dataclasses.replace(made[B.value, Service()], id=0).target == B.value


def test_a_crash_between_the_files_of_rules_and_devices_is_mended() -> None:
    one = {A.value: (A.value, B.value), B.value: (A.value, B.value)}.get
    quarantined = [rule(1, A), rule(2, B, copy_of=1)]
    assert reconciled(quarantined, lambda mac: one(mac, (mac,)), 9) == quarantined
    # Split on one side only: the device is still one, and what is missing comes back
    mended = reconciled(quarantined[:1], lambda mac: one(mac, (mac,)), 9)
    assert [(each.target, each.copy_of) for each in mended] == [(A.value, None), (B.value, 1)]
    assert len({each.id for each in mended}) == 2
    # Merged on one side only: nobody was told, so the other has no rule
    assert reconciled(quarantined, lambda mac: (mac,), 9) == quarantined[:1]
