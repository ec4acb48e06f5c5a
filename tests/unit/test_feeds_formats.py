"""Lists in every format, real ones and hostile ones."""

import io
import time

import pytest
from hypothesis import given, strategies as st

from hearthwall_sensor.feeds import entries as entries_module, formats
from hearthwall_sensor.feeds.entries import Entries, name_hash, parse_prefix, prefix_text
from hearthwall_sensor.protocol import SensorError

HASH = name_hash(b"k" * 16)


def read(text: str | bytes, form: str = "auto") -> tuple[str, Entries]:
    body = text if isinstance(text, bytes) else text.encode()
    return formats.read(io.BytesIO(body), form, HASH)


def prefixes(entries: Entries) -> list[str]:
    return [prefix_text(each, 32) for each in entries.ipv4] + [
        prefix_text(each, 128) for each in entries.ipv6
    ]


def hashes(*names: str) -> list[int]:
    return sorted(map(HASH, names))


PLAIN = """# FireHOL
; Spamhaus
203.0.113.7
198.51.100.0/24 ; SBL1
198.51.100.0/24
192.0.2.99/24 # bits of the host are cleared
2001:db8::/32
::ffff:203.0.113.8
"""
HOSTS = """# hosts
127.0.0.1 localhost
::1 ip6-localhost
0.0.0.0 0.0.0.0
0.0.0.0 Ads.Example.COM tracker.example.net # two
93.184.216.34 real.example.org
"""
DOMAINS = "evil.example\n*.wild.example\n.dotted.example\nm\u00fcnchen.example\ntrailing.example.\n"
ADBLOCK = """[Adblock Plus 2.0]
! Title: x
||ads.example.com^
||with.option.example^$third-party
@@||good.example^
example.com##.banner
"""
JSON = '{"cidr":"203.0.113.0/24","sblid":"SBL1"}\n{"cidr":"2001:db8:5::/48"}\n{"type":"metadata","records":2}\n'
COUNTED = "# ipsum\n203.0.113.7\t9\n203.0.113.8 3\n"
CSV = '"first seen","address","port"\n"2026-01-01","203.0.113.7","443"\n"2026-01-01","bad.example","80"\n'


@pytest.mark.parametrize(
    ("form", "text", "found", "names", "invalid"),
    [
        (
            "addresses",
            PLAIN,
            ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.7", "203.0.113.8", "2001:db8::/32"],
            [],
            0,
        ),
        ("counted", COUNTED, ["203.0.113.7", "203.0.113.8"], [], 0),
        ("hosts", HOSTS, [], ["=ads.example.com", "=tracker.example.net"], 1),
        (
            "domains",
            DOMAINS,
            [],
            [
                ".evil.example",
                ".wild.example",
                ".dotted.example",
                ".xn--mnchen-3ya.example",
                ".trailing.example",
            ],
            0,
        ),
        ("adblock", ADBLOCK, [], [".ads.example.com"], 3),
        ("json", JSON, ["203.0.113.0/24", "2001:db8:5::/48"], [], 0),
    ],
)
def test_each_format_is_read_and_found_out(
    form: str, text: str, found: list[str], names: list[str], invalid: int
) -> None:
    for asked in (form, "auto"):
        said, entries = read(text, asked)
        assert said == form
        assert prefixes(entries) == found
        assert list(entries.names) == hashes(*names)
        assert entries.invalid.count == invalid


def test_a_column_of_csv() -> None:
    said, entries = read(CSV, "csv:2")
    assert said == "csv:2"
    assert prefixes(entries) == ["203.0.113.7"]
    assert list(entries.names) == hashes(".bad.example")
    assert entries.invalid.count == 0  # the columns' names are no mistake
    assert read(CSV, "csv:9")[1].invalid.count == 2


@pytest.mark.parametrize(
    "form", ["", "csv", "csv:0", "csv:101", "csv:x", "csv:1:2", "rpz", "csv:\u0661"]
)
def test_an_unknown_format_is_refused(form: str) -> None:
    with pytest.raises(SensorError) as refused:
        formats.parser(form)
    assert refused.value.code == "invalid_feed"


@pytest.mark.parametrize(
    "text",
    [
        "0.0.0.0/0",
        "10.0.0.0/7",
        "::/0",
        "2000::/15",
        "1.2.3.4/33",
        "1.2.3.4/-1",
        "1.2.3.4/\u0661",
        "1.2.3.4/",
        "1.2.3",
        "01.2.3.4",
        "1.2.3.4.5",
        "1.2.3.4\0",
        "1.2.3.4-1.2.3.9",
        "fe80::1%eth0",
        "::ffff:0.0.0.0/96",
        "",
        "x" * 4000,
    ],
)
def test_what_is_no_prefix_or_too_wide_a_one(text: str) -> None:
    assert parse_prefix(text) is None


@pytest.mark.parametrize(
    "name", ["com", "localhost", "printer.local", "x.fritz.box", "nas.home.arpa", "a.lan"]
)
def test_names_of_the_home_and_top_level_domains_are_refused_and_counted(name: str) -> None:
    _, entries = read(f"{name}\nevil.example\n", "domains")
    assert list(entries.names) == hashes(".evil.example")
    assert entries.refused.count == 1
    assert entries.refused.shown[0].startswith(name)


@pytest.mark.parametrize(
    "name",
    [
        "a..b.example",
        "-",
        "ex ample.com",
        "x" * 64 + ".example",
        "a." * 130 + "example",
        "1.2.3.4",
        "a\u2028.b\0c",
    ],
)
def test_what_is_no_domain(name: str) -> None:
    assert entries_module.canonical_name(name) is None


def test_what_was_not_understood_is_counted_exactly_and_shown_in_part() -> None:
    lines = [f"\x1b[31mnonsense {number}\x07" + "y" * 200 for number in range(1000)]
    _, entries = read("203.0.113.7\n" + "\n".join(lines), "addresses")
    assert entries.invalid.count == 1000
    assert len(entries.invalid.shown) == entries_module.MAX_EXAMPLES
    assert all(len(each) <= 80 and each.isprintable() for each in entries.invalid.shown)


def test_a_line_without_end_is_one_invalid_line() -> None:
    _, entries = read(b"203.0.113.7\n" + b"1" * 3_000_000 + b"\n203.0.113.8\n", "addresses")
    assert prefixes(entries) == ["203.0.113.7", "203.0.113.8"]
    assert entries.invalid.count == 1


def test_a_quotation_mark_that_is_not_closed_swallows_one_line_only() -> None:
    _, entries = read('head,ip\na,"203.0.113.7\nb,203.0.113.8\n', "csv:2")
    assert prefixes(entries)[-1] == "203.0.113.8"


def test_a_list_with_too_many_entries_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entries_module, "MAX_PREFIXES", 10)
    with pytest.raises(SensorError) as refused:
        read("\n".join(f"203.0.113.{number}" for number in range(11)), "addresses")
    assert refused.value.code == "feed_failed"


def test_a_list_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "MAX_SECONDS", 0.2)
    hard = "\n".join("\u00e4" * 40 + f"{number}.example" for number in range(200_000))
    before = time.process_time()
    with pytest.raises(SensorError, match="takes more than"):
        read(hard, "domains")
    assert time.process_time() - before < 3


@given(st.binary(max_size=2000), st.sampled_from(["auto", *formats.FORMATS, "csv:1"]))
def test_no_list_brings_the_reader_down(body: bytes, form: str) -> None:
    _, entries = read(body, form)
    assert list(entries.ipv4) == sorted(set(entries.ipv4))


@given(
    st.lists(
        st.sampled_from([*'{}[]",:|^*.#;!<> \t0123456789abcxyz\u00fc', "cidr", "0.0.0.0", "||"]),
        max_size=60,
    )
)
def test_nor_does_one_made_of_the_formats_own_signs(signs: list[str]) -> None:
    for form in ("auto", *formats.FORMATS, "csv:2"):
        read("".join(signs) + "\n" + "".join(reversed(signs)), form)


def test_two_hundred_thousand_lines_are_read_in_a_moment() -> None:
    body = "".join(f"{20 + n % 50}.{n >> 8 & 255}.{n & 255}.{n % 251}\n" for n in range(200_000))
    before = time.process_time()
    _, entries = read(body)
    assert len(entries.ipv4) == 200_000
    assert time.process_time() - before < 3  # 0.35 s on two idle cores
