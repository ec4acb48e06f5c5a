"""What the measurements print: medians, ratios within a round, and whether a goal is met."""

import json
from itertools import count

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

from bench import frames
from bench.figures import Figure, show
from bench.rounds import Compared, Rounds, alternate_one


@pytest.mark.parametrize(
    ("figure", "met"),
    [
        (Figure("a", 46, "MB", 45), False),
        (Figure("a", 45, "MB", 45), True),
        (Figure("a", 46, "MB"), None),
        (Figure("a", 900, "ns", 0.95, "b", 0.94), True),
        (Figure("a", 0.1, "ns", 0.95, "b", 0.96), False),
        (Figure("a", 1, "Gbit/s", 0.95, "b", 0.94, "at least"), False),
        (Figure("a", 100, "%", 100, bound="at least"), True),
    ],
)
def test_a_goal_bounds_the_ratio_where_there_is_one_and_else_the_value(
    figure: Figure, met: bool | None
) -> None:
    assert figure.met is met
    (document,) = json.loads(show([figure], as_json=True))
    assert document["met"] is met
    assert ("NOT MET" in show([figure], as_json=False)) is (met is False)


def test_a_ratio_is_that_of_the_rounds_so_a_slow_round_changes_nothing() -> None:
    slow = iter([1, 1, 10, 1, 1])
    moods = [each for each in slow for _ in range(2)]  # one for both contenders of a round
    turn = count()
    samples = alternate_one(
        "t",
        {"ours": lambda: 3.0 * moods[next(turn)], "other": lambda: 4.0 * moods[next(turn)]},
        "ns",
        Rounds(5, 60),
    )
    (figure,) = samples.figures("t", [Compared("ours", "other", 0.8)])
    assert (figure.ratio, figure.met) == (0.75, True)


def test_rounds_alternate_in_both_directions() -> None:
    order = []
    calls = {name: lambda name=name: order.append(name) or 1.0 for name in "abc"}
    alternate_one("t", calls, "ns", Rounds(2, 60))
    assert order == list("abccba")


def test_no_round_begins_after_the_time_is_up_but_there_is_always_one() -> None:
    calls = []
    alternate_one("t", {"a": lambda: calls.append(1) or 1.0}, "ns", Rounds(5, 0))
    assert len(calls) == 1


def test_a_measured_frame_is_a_valid_one() -> None:
    for source, layer in ((frames.INNOCENT, IP), (frames.INNOCENT6, IPv6)):
        far = frames.FAR if layer is IP else frames.FAR6
        data = frames.udp(source, far, sender=frames.mac(500))
        read = Ether(data)
        assert len(data) == frames.FRAME
        assert (read.src, read[layer].src, read[layer].dst) == (frames.mac(500), source, far)
        assert read[UDP].dport == frames.PORT
        if layer is IP:
            checked = read[IP].chksum
            del read[IP].chksum
            assert Ether(bytes(read))[IP].chksum == checked
