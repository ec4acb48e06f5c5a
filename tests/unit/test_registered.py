"""Registered domains, with the public suffix list and without."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from publicsuffix2 import PublicSuffixList

from hearthwall_sensor.names import registered
from hearthwall_sensor.names.registered import registered_domain


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    for each in (registered._suffixes, registered_domain):
        each.cache_clear()
    yield
    for each in (registered._suffixes, registered_domain):
        each.cache_clear()


ANYWHERE = [
    ("www.example.com", "example.com"),
    ("Example.COM.", "example.com"),
    ("com", "com"),
    ("a.b.example.co.uk", "example.co.uk"),
    ("co.uk", "co.uk"),
    ("x.nas.lan", "nas.lan"),
    ("printer", "printer"),
    ("", ""),
    ("192.0.2.7", "192.0.2.7"),
    ("2001:db8::1", "2001:db8::1"),
    (f"{'a.' * 120}example.org", "example.org"),
]


@pytest.mark.parametrize(("name", "expected"), ANYWHERE)
def test_what_somebody_owns(name: str, expected: str) -> None:
    assert registered_domain(name) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.b.example.ck", "b.example.ck"),
        ("www.ck", "www.ck"),
        ("x.y.github.io", "y.github.io"),
        ("shop.xn--h1alffa9f.xn--p1ai", "xn--h1alffa9f.xn--p1ai"),
    ],
)
def test_the_list_knows_exceptions_and_hosters(name: str, expected: str) -> None:
    assert registered_domain(name) == expected


@pytest.mark.parametrize(("name", "expected"), ANYWHERE)
def test_without_the_list(monkeypatch: pytest.MonkeyPatch, name: str, expected: str) -> None:
    monkeypatch.setattr(registered, "LIST", "/nowhere")
    assert registered_domain(name) == expected
    assert registered._suffixes() is None


def test_it_agrees_with_a_library_on_every_rule() -> None:
    with Path(registered.LIST).open(encoding="utf-8") as lines:
        library = PublicSuffixList(lines, idna=True)
    rules = registered._suffixes()
    assert rules is not None
    assert len(rules) > 5000
    for rule in rules:
        name = f"a.b.{rule.removeprefix('!').replace('*', 'star')}"
        suffix = library.get_tld(name, strict=True)
        assert registered_domain(name) == ".".join(name.split(".")[-2 - suffix.count(".") :]), rule
