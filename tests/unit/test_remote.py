"""Tokens, certificates, who may knock, and where a listener is found: without a network."""

import json
import ssl
import sys
from pathlib import Path

import pytest

from hearthwall_sensor import capabilities, files
from hearthwall_sensor.network.topology import NetInterface, Network
from hearthwall_sensor.notation import plain_address
from hearthwall_sensor.protocol import SensorError
from hearthwall_sensor.remote import (
    certificate,
    sensor_id,
    tokens,
)
from hearthwall_sensor.remote.admission import Admission
from hearthwall_sensor.remote.remote import reached_by
from hearthwall_sensor.remote.tokens import Tokens
from hearthwall_sensor.remote.whereabouts import (
    CALLERS_FILE,
    WHEREABOUTS_FILE,
    Callers,
    Whereabouts,
)
from hearthwall_sensor.settings import parse_endpoint


def test_a_token_is_found_by_itself_only_and_not_kept(tmp_path: Path) -> None:
    made = [tokens.create(tmp_path, name) for name in ("one", "two")]
    assert len({len(each) for each in made}) == 1
    known = Tokens(tmp_path)
    assert [known.find(each) and known.find(each).name for each in made] == ["one", "two"]
    for wrong in ("", made[0][:-1], made[0] + "x", made[0].swapcase(), "\udcff" * 10, "x" * 10**6):
        assert known.find(wrong) is None
    kept = (tmp_path / tokens.TOKENS_FILE).read_text()
    assert not any(each in kept for each in made)
    assert (tmp_path / tokens.TOKENS_FILE).stat().st_mode & 0o077 == 0


def test_what_was_revoked_is_followed_and_lies_nowhere(tmp_path: Path) -> None:
    token = tokens.create(tmp_path, "one")
    known = Tokens(tmp_path)
    assert tokens.revoke(tmp_path, "one").name == "one"
    assert known.find(token) is None
    assert not known.follow()
    digest = json.dumps(sorted(Tokens(tmp_path).digests))
    assert digest == "[]"
    assert [each.name for each in tmp_path.iterdir()] == [tokens.TOKENS_FILE]


def test_tokens_are_bounded(tmp_path: Path) -> None:
    for number in range(tokens.MAX_TOKENS):
        tokens.create(tmp_path, str(number))
    with pytest.raises(SensorError, match="revoke one"):
        tokens.create(tmp_path, "one more")
    with pytest.raises(SensorError) as failed:
        tokens.create(tmp_path / "nowhere", "one")
    assert failed.value.code == "storage_failed"


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", '{"tokens": [{"name": "x"}]}', "\0", "[" * 200_000, "[" * 60_000]
)
def test_a_damaged_file_lets_nobody_in(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: str
) -> None:
    (tmp_path / tokens.TOKENS_FILE).write_text(content)
    assert Tokens(tmp_path).digests == frozenset()
    assert "nobody is let in" in caplog.text
    with pytest.raises(SensorError, match="make new tokens"):
        tokens.create(tmp_path, "one")


def test_a_file_that_others_could_change_lets_nobody_in_until_it_is_seen_to(tmp_path: Path) -> None:
    token = tokens.create(tmp_path, "one")
    known = Tokens(tmp_path)
    path = tmp_path / tokens.TOKENS_FILE
    path.chmod(0o666)
    assert known.find(token) is None
    with pytest.raises(SensorError, match="someone else could change") as failed:
        tokens.listed(tmp_path)
    assert failed.value.code == "unsafe_files"
    path.chmod(0o600)
    assert known.find(token) is not None


def test_what_is_written_goes_where_no_link_leads_and_is_private(tmp_path: Path) -> None:
    path, left = tmp_path / "file", tmp_path / "file.new"
    left.write_text("half")
    left.chmod(0o666)
    files.write(path, b"whole")
    assert path.stat().st_mode & 0o777 == 0o600
    other = tmp_path / "other"
    other.write_text("theirs")
    left.symlink_to(other)
    files.write(path, b"anew")
    assert (path.read_text(), other.read_text()) == ("anew", "theirs")
    assert files.previous(path).read_text() == "whole"


def test_a_certificate_is_made_once_and_speaks(tmp_path: Path) -> None:
    path = certificate.ensure(tmp_path)
    told = certificate.fingerprint(path)
    assert len(bytes.fromhex(told.replace(":", ""))) == 32
    assert certificate.fingerprint(certificate.ensure(tmp_path)) == told
    assert path.stat().st_mode & 0o077 == 0
    assert certificate.context(path).minimum_version is ssl.TLSVersion.TLSv1_2
    path.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----")
    for use in (certificate.context, certificate.fingerprint):
        path.write_text("nonsense")
        with pytest.raises(SensorError, match="remove it"):
            use(path)


def test_without_cryptography_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with pytest.raises(SensorError, match="apt-get install python3-cryptography") as failed:
        certificate.ensure(tmp_path)
    assert failed.value.code == "missing_capability"


def test_check_says_what_is_lost_without_zeroconf() -> None:
    (part,) = (each for each in capabilities.PARTS if each.name == "zeroconf")
    assert not part.required
    assert "found" in part.lost
    assert part.fix == "apt-get install python3-zeroconf"


def test_an_identity_stays_and_a_damaged_one_is_replaced(tmp_path: Path) -> None:
    first = sensor_id.read_or_make(tmp_path)
    assert sensor_id.read_or_make(tmp_path) == first
    (tmp_path / sensor_id.ID_FILE).write_text("half")
    assert sensor_id.read_or_make(tmp_path) not in (first, "half")


def test_one_address_is_bounded_and_others_are_not_its_victims() -> None:
    admission = Admission(lambda address: address == "192.168.1.30")
    assert sum(admission.admit("192.168.1.66", 0.0) for _ in range(1000)) == 20
    assert admission.admit("192.168.1.11", 0.0)
    assert sum(admission.admit("192.168.1.66", 60.0) for _ in range(1000)) == 20
    assert sum(admission.admit("192.168.1.66", 64.0) for _ in range(1000)) == 2


def test_strangers_together_are_bounded_and_home_assistant_is_none() -> None:
    admission = Admission(lambda address: address == "192.168.1.30")
    strangers = [f"10.{a}.{b}.1" for a in range(20) for b in range(250)]
    assert sum(admission.admit(each, 0.0) for each in strangers) == 100
    assert admission.admit("192.168.1.30", 0.0)
    prefix = [f"2001:db8::{number:x}" for number in range(1, 500)]
    assert sum(admission.admit(each, 1000.0) for each in prefix) == 20
    link = [f"fe80::{number:x}" for number in range(1, 500)]
    assert sum(admission.admit(each, 2000.0, 3) for each in link) == 20
    assert admission.admit("fe80::1", 2000.0, 4), "another link"


def test_home_assistant_does_not_pay_for_strangers_with_its_prefix() -> None:
    admission = Admission(lambda address: address == "2001:db8::30")
    for number in range(0x100, 0x200):
        admission.admit(f"2001:db8::{number:x}", 0.0)
    assert not admission.admit("2001:db8::31", 0.0)
    assert admission.admit("2001:db8::30", 0.0)


def test_a_good_token_costs_nothing() -> None:
    admission = Admission(lambda _: True)
    for _ in range(1000):
        assert admission.admit("192.168.1.30", 0.0)
        admission.welcome("192.168.1.30")


def test_whereabouts_stay_as_long_as_the_token(tmp_path: Path) -> None:
    there = Whereabouts(tmp_path)
    assert there.note("a", "192.168.1.30")
    assert not there.note("a", "192.168.1.30")
    assert there.note("b", "192.168.1.31")
    assert Whereabouts(tmp_path).addresses == {"192.168.1.30", "192.168.1.31"}
    assert there.keep(frozenset("b"))
    assert Whereabouts(tmp_path).addresses == {"192.168.1.31"}
    for content in ("[]", "{", '{"a": "there"}', '{"a": 7.5}', '{"a": {}}', "[" * 200_000):
        (tmp_path / WHEREABOUTS_FILE).write_text(content)
        assert Whereabouts(tmp_path).addresses == frozenset()
    (tmp_path / WHEREABOUTS_FILE).write_text('{"a": "192.168.1.30"}')
    assert Whereabouts(tmp_path).addresses == {"192.168.1.30"}, "as it was written before"


def test_callers_that_move_all_the_time_are_written_now_and_then(tmp_path: Path) -> None:
    there = Callers(tmp_path)
    there.note("a", "192.168.1.30")
    assert not (tmp_path / CALLERS_FILE).exists()
    there.put_down(100.0)
    for number in range(31, 60):
        there.note("a", f"192.168.1.{number}")
        there.put_down(100.0 + number)
    assert Callers(tmp_path).addresses == {"192.168.1.30"}
    there.put_down(160.0)
    assert Callers(tmp_path).addresses == {f"192.168.1.{each}" for each in (30, 57, 58, 59)}


def test_where_it_was_stays_until_it_has_moved(tmp_path: Path) -> None:
    there = Whereabouts(tmp_path)
    for number in range(30, 40):
        there.note("a", f"192.168.1.{number}")
    assert Whereabouts(tmp_path).addresses == {f"192.168.1.{each}" for each in (30, 37, 38, 39)}
    assert there.settle("a", {"192.168.1.39"})
    assert not there.settle("a", {"192.168.1.39"})
    assert Whereabouts(tmp_path).addresses == {"192.168.1.39"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.168.1.1:8447", ("192.168.1.1", 8447)),
        ("[fd00::1]:1", ("fd00::1", 1)),
        ("[::]:65535", ("::", 65535)),
        *(
            (wrong, None)
            for wrong in (
                "",
                ":8447",
                "8447",
                "192.168.1.1",
                "192.168.1.1:",
                "192.168.1.1:0",
                "192.168.1.1:65536",
                "192.168.1.1:x",
                "[192.168.1.1]:8447",
                "fd00::1:8447",
                "gateway:8447",
            )
        ),
    ],
)
def test_where_to_listen(text: str, expected: tuple[str, int] | None) -> None:
    if expected is not None:
        assert parse_endpoint(text) == expected
        return
    with pytest.raises(SensorError, match=r"192\.168\.1\.1:8447"):
        parse_endpoint(text)


def test_addresses_are_written_as_elsewhere() -> None:
    for text, plain in (
        ("192.168.1.30", "192.168.1.30"),
        ("::ffff:192.168.1.30", "192.168.1.30"),
        ("fe80::1%eth0", "fe80::1"),
        ("FD00::1", "fd00::1"),
    ):
        assert plain_address(text) == plain


def test_a_listener_on_all_addresses_is_found_at_those_of_the_home() -> None:
    def interface(index: int, name: str, bridge: int | None, *addresses: str) -> NetInterface:
        return NetInterface(index, name, "bridge", None, bridge, True, addresses, False)

    network = Network(
        {
            1: interface(1, "br-lan", None, "192.168.1.1", "fe80::1", "fd00::1"),
            2: interface(2, "lan1", 1),
            3: interface(3, "wan", None, "198.51.100.2"),
        }
    )
    for names in (["br-lan"], ["lan1"], ["lan1", "br-lan", "gone"]):
        assert reached_by("0.0.0.0", network, names) == ["192.168.1.1"]
        assert reached_by("::", network, names) == ["192.168.1.1"]
    assert reached_by("::", network, ["wan"]) == ["198.51.100.2"]
    assert reached_by("192.168.1.1", network, ["wan"]) == ["192.168.1.1"]
