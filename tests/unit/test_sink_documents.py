"""What docs/mqtt.md and docs/alerts.md say of sinks is what the code does."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from hearthwall_sensor.kinds import SEVERITIES
from hearthwall_sensor.sinks import mqtt, mqtt_intake, reading, smtp, smtp_session, webhook
from hearthwall_sensor.sinks.kinds import KINDS
from hearthwall_sensor.sinks.mqtt_orders import _COMMANDS, BURST, PER_SECOND, Order
from hearthwall_sensor.sinks.presence import GRACE, LOOK
from hearthwall_sensor.sinks.table import Table
from hearthwall_sensor.sinks.topics import Topics

DOCS = Path(__file__).resolve().parents[2] / "docs"
MQTT = (DOCS / "mqtt.md").read_text()
ALERTS = (DOCS / "alerts.md").read_text()
SECTIONS = {
    "mqtt": MQTT.split("## Topics")[0],
    "webhook": ALERTS.split("## Webhook")[1].split("## E-mail")[0],
    "smtp": ALERTS.split("## E-mail")[1],
}
#: The least that each type needs.
LEAST: dict[str, dict[str, Any]] = {
    "mqtt": {"server": "b.example"},
    "webhook": {"url": "https://a.example/"},
    "smtp": {"server": "m.example", "from": "a@b.example", "to": ["c@d.example"]},
}
#: Options whose value is kept under another name.
KEPT = {"tls": "trust"}


def rows(section: str, head: str) -> dict[str, str]:
    """Return the first column's code and the rest of each row of the table with this head."""
    table = section.split(f"| {head} |")[1].split("\n\n", maxsplit=1)[0]
    return dict(re.findall(r"^\| `([^`]+)` \| (.+) \|$", table, re.MULTILINE))


@pytest.mark.parametrize("kind", SECTIONS)
def test_every_option_is_documented_and_no_other(kind: str) -> None:
    table = Table("x", LEAST[kind])
    KINDS[kind].read(table)
    assert set(rows(SECTIONS[kind], "option | meaning")) == set(table._known)


def test_what_a_mail_server_may_take_is_told() -> None:
    text = " ".join(SECTIONS["smtp"].split())
    assert smtp_session._MAIL_TIMEOUT == 5 * 60
    assert "may take five minutes for a mail" in text
    assert f"says more than {smtp_session.MOST_SAID // 1024} KiB is left" in text


def test_what_a_broker_may_send_is_told() -> None:
    text = " ".join(MQTT.split())
    assert f"more than {mqtt_intake.LONGEST_PACKET // 1024} KiB ends the connection" in text
    assert f"{mqtt_intake.PER_SECOND:,.0f} packets a second are taken in" in text


def test_it_is_said_where_a_sink_is_written_and_how_a_secret_is_kept() -> None:
    for text in (MQTT, ALERTS, (DOCS / "logs.md").read_text()):
        assert "`/etc/hearthwall/sensor.toml`" in text
        assert "`sudo systemctl restart hearthwall-sensor`" in text
    for text in (MQTT, ALERTS):
        assert "install -m 600 /dev/null /etc/hearthwall/" in text
        assert "of root and mode 0600" in text


@pytest.mark.parametrize("kind", SECTIONS)
def test_defaults_are_those_of_the_code(kind: str) -> None:
    read = KINDS[kind].read(Table("x", LEAST[kind]))
    said = {
        option: found[1]
        for option, text in rows(SECTIONS[kind], "option | meaning").items()
        if (found := re.search(r"\(default `([^`]+)`", text))
    }
    assert said
    for option, value in said.items():
        if kind == "mqtt" and option == "tls":
            assert (value, read.trust) == ("false", None)
        else:
            shown = getattr(read, option)
            assert value == (
                str(shown).lower()
                if isinstance(shown, bool)
                else f"{shown:g}"
                if isinstance(shown, float)
                else str(shown)
            )


@pytest.mark.parametrize("text", [MQTT, ALERTS])
def test_examples_are_read(text: str) -> None:
    examples = re.findall(r"```toml\n(\[\[sink\]\].+?)```", text, re.DOTALL)
    assert examples
    for each in examples:
        assert len(reading.read(tomllib.loads(each)["sink"])) == 1


def test_ports_severities_and_bounds_are_those_of_the_code() -> None:
    assert f"not {mqtt.PORT} (with TLS {mqtt.TLS_PORT})" in MQTT
    for way, port in smtp._PORTS.items():
        assert f"`{way}` (port {port})" in SECTIONS["smtp"]
    assert (KINDS["webhook"].severity, KINDS["smtp"].severity) == ("high", "high")
    assert KINDS["mqtt"].severity == "info"
    assert "what is `high` or `critical` unless" in ALERTS
    assert SEVERITIES[-2:] == ("high", "critical")
    assert f"at most {smtp.AT_ONCE} events" in SECTIONS["smtp"]
    assert f"{smtp.LEAST_EVERY:.0f} to {smtp.MOST_EVERY:,.0f}" in SECTIONS["smtp"]
    assert f"1 to {smtp.MAX_RECIPIENTS} recipients" in SECTIONS["smtp"]
    assert f"up to {webhook.MAX_FIELDS} fields" in SECTIONS["webhook"]
    assert f"at most {webhook.MAX_BODY_BYTES // 1024} KiB" in SECTIONS["webhook"]
    assert f"about {GRACE + LOOK:.0f} seconds" in ALERTS


def test_a_webhooks_message_and_answers_are_those_of_the_code() -> None:
    assert tuple(rows(SECTIONS["webhook"], "field | what it holds")) == webhook.SHAPE
    assert "1 (`info`) to 5 (`critical`)" in SECTIONS["webhook"]
    assert (webhook.PRIORITIES["info"], webhook.PRIORITIES["critical"]) == (1, 5)
    answers = SECTIONS["webhook"].split("| answer |")[1].split("\n\n", maxsplit=1)[0]
    assert f"| {', '.join(map(str, webhook.MENDABLE))} | it waits" in answers
    assert f"but {', '.join(map(str, webhook.AGAIN))} | it is refused for good" in answers


def test_topics_and_orders_are_those_of_the_code() -> None:
    topics = Topics.of("hearthwall", "home")
    told = set(rows(MQTT, "topic | payload | QoS | retained"))
    known = {
        topics.event,
        topics.status,
        topics.rate("00:00:5e:00:53:21"),
        topics.command,
        topics.result,
    }
    assert told == known
    fields = rows(MQTT, "field | meaning")
    assert set(fields) == set(Order.__dataclass_fields__)
    assert set(re.findall(r"`(\w+)`", fields["command"])) == set(_COMMANDS)
    for name in ("mode", "duration", "reason"):
        takers = {command for command, each in _COMMANDS.items() if name in each.takes}
        assert takers == set(re.findall(r"`(\w+)`", fields[name].split(":")[0])), name
    assert (BURST, PER_SECOND) == (10, 1.0)
    assert "Ten orders are taken at once, then one a second" in " ".join(MQTT.split())
