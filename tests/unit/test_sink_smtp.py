"""Mails by a real mail server: what they tell, and what becomes of one that the server does not want."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_socket

from hearthwall_sensor.protocol import SensorError
from hearthwall_sensor.sinks import letters
from hearthwall_sensor.sinks.sink import RefusedError, SinkError
from hearthwall_sensor.sinks.smtp import SmtpSink
from tests.unit.mailbox import Mailbox, Post, free_port, opened, sent, values
from tests.unit.receivers import certified, context, event, options, secret


@pytest.fixture(autouse=True)
def _sockets() -> None:
    pytest_socket._remove_restrictions()


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    """A server that is up."""
    with opened(tmp_path) as one:
        yield one


async def test_one_mail_tells_of_all_events_in_words(post: Post, tmp_path: Path) -> None:
    gravest = event(8, severity="critical", summary="löscht \U0001f525 alles")
    await sent(values(post, tmp_path), event(7), gravest, event(9))
    (mail,) = post.box.mails
    assert post.box.to == [["me@example.org", "you@example.org"]]
    assert post.box.logins
    assert mail["Subject"] == "Hearthwall: Critical: löscht \U0001f525 alles (and 2 more)"
    assert mail["From"] == "Hearthwall <gateway@example.org>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert abs(mail["Date"].datetime.timestamp() - time.time()) < 60
    text = mail.get_content()
    assert mail.get_content_type() == "text/plain"
    for said in ("Event 7, high: port_scan", "löscht \U0001f525 alles", "front door", "Event 9"):
        assert said in text


async def test_the_same_mail_again_has_the_same_number(post: Post, tmp_path: Path) -> None:
    for events in ([event(7), event(8)], [event(7), event(8)], [event(8)]):
        await sent(values(post, tmp_path), *events)
    one, again, other = (each["Message-ID"] for each in post.box.mails)
    assert one == again != other
    assert one.endswith("@example.org>")


async def test_what_can_not_be_written_is_told_without_details(
    post: Post, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> letters.Letter:
        return letters.Letter("\ud800", "\ud800")

    monkeypatch.setattr(letters, "whole", broken)
    await sent(values(post, tmp_path), event(7))
    (mail,) = post.box.mails
    assert "port_scan (event 7)" in mail.get_content()
    monkeypatch.setattr(letters, "bare", broken)
    with pytest.raises(RefusedError, match="can't be written"):
        await sent(values(post, tmp_path), event(7))


async def test_a_server_is_tried_before_there_is_an_event(post: Post, tmp_path: Path) -> None:
    reached: list[bool] = []
    known = replace(context(), reached=lambda: reached.append(True))
    await SmtpSink(options("smtp", **values(post, tmp_path)), known).start()
    assert (len(post.box.logins), post.box.mails, reached) == (1, [], [True])


@pytest.mark.parametrize(
    ("answers", "said", "is_lasting"),
    [
        ({"MAIL": "451 later"}, "refuses the sender (451)", False),
        ({"MAIL": "550 no"}, "refuses the sender (550)", True),
        ({"RCPT": "450 greylisted"}, "refuses every recipient (450)", False),
        ({"RCPT": "550 no"}, "refuses every recipient (550)", True),
    ],
)
async def test_what_a_person_has_to_mend_waits_longer(
    post: Post, tmp_path: Path, answers: dict[str, str], said: str, is_lasting: bool
) -> None:
    post.box.answers = answers
    with pytest.raises(SinkError) as failed:
        await sent(values(post, tmp_path), event())
    assert said in str(failed.value)
    assert bool(failed.value.retry_after) is is_lasting
    assert "t0psecret" not in str(failed.value)
    post.box.answers = {}
    await sent(values(post, tmp_path), event())
    assert len(post.box.mails) == 1


async def test_a_wrong_password_is_said(post: Post, tmp_path: Path) -> None:
    wrong = values(post, tmp_path, password_file=secret(tmp_path, "wr0ng", "wrong"))
    with pytest.raises(SinkError, match=r"refuses the user name or the password \(535\)") as failed:
        await sent(wrong, event())
    assert failed.value.retry_after
    assert "wr0ng" not in str(failed.value)


async def test_a_mail_that_is_refused_is_tried_once_more_without_names(
    post: Post, tmp_path: Path
) -> None:
    post.box.data = ["554 this is spam"]
    await sent(values(post, tmp_path), event(7, summary="asks for bad.example"))
    (mail,) = post.box.mails
    assert "bad.example" not in mail["Subject"] + mail.get_content()
    assert "port_scan (event 7)" in mail.get_content()

    post.box.data = ["452 full"]
    with pytest.raises(SinkError, match="answered 452"):
        await sent(values(post, tmp_path), event())


@pytest.mark.parametrize("answer", ["552 5.2.2 mailbox full", "550 5.4.5 limit", "554 5.7.1 no"])
async def test_a_mail_that_is_refused_whatever_it_tells_waits_for_a_person(
    post: Post, tmp_path: Path, answer: str
) -> None:
    post.box.data = [answer, answer]
    said = rf"the server refuses the mail \({answer[:3]}\), whatever it tells"
    with pytest.raises(SinkError, match=said) as failed:
        await sent(values(post, tmp_path), event(7), event(8))
    assert (failed.value.delivered, failed.value.retry_after) == (0, 300.0)
    await sent(values(post, tmp_path), event(7, summary="asks for bad.example"), event(8))
    (mail,) = post.box.mails
    assert "bad.example" in mail.get_content()


async def test_one_recipient_that_is_refused_takes_nothing_from_the_others(
    post: Post, tmp_path: Path
) -> None:
    post.box.answers = {"me@example.org": "550 gone"}
    said = "the server refuses me@example.org (550); the others have the mail"
    assert said in str(await sent(values(post, tmp_path), event(7), event(8)))
    assert post.box.to == [["you@example.org"]]
    post.box.answers = {}
    assert await sent(values(post, tmp_path), event(9)) is None


async def test_nobody_there_is_said(tmp_path: Path) -> None:
    post = Post(Mailbox(), free_port(), certified(tmp_path))
    with pytest.raises(SinkError, match=rf"^127.0.0.1, port {post.port}: Connection refused"):
        await sent(values(post, tmp_path), event())


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"from": "x\nBcc: a@b.example"}, "can't be printed"),
        ({"from": "nobody"}, "from: 'nobody' is no address"),
        ({"to": ["a@b.example\r\nDATA"]}, "to: .* is no address"),
        ({"to": []}, "to is a list of 1 to 10 addresses"),
        ({"to": ["a@b.example"] * 11}, "to is a list of 1 to 10 addresses"),
        ({"tls": "none"}, 'need tls = "starttls" or "tls"'),
        (
            {"tls": "none", "ca_file": None, "server": "mail.example"},
            "a password is sent over TLS only",
        ),
        ({"every": 5}, "every is a number from 60"),
        ({"password_file": None}, "username and password_file belong together"),
        ({"password": "x"}, "there is no option 'password'"),
    ],
)
def test_mistakes_are_said(tmp_path: Path, more: dict[str, Any], said: str) -> None:
    post = Post(Mailbox(), 25, certified(tmp_path))
    given = {key: each for key, each in values(post, tmp_path, **more).items() if each is not None}
    with pytest.raises(SensorError, match=said):
        options("smtp", **given)
