"""A sensor on another host in the config flow: every way in, every failure and the way on from it."""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from homeassistant.config_entries import (
    SOURCE_HASSIO,
    SOURCE_IGNORE,
    SOURCE_REAUTH,
    SOURCE_USER,
    SOURCE_ZEROCONF,
    ConfigEntryState,
)
from homeassistant.const import CONF_HOST, CONF_PORT, CONF_TOKEN
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr, issue_registry as ir
from homeassistant.helpers.service_info.hassio import HassioServiceInfo
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.hearthwall import config_flow as flows_of, link
from custom_components.hearthwall.bpf.hearthwall_sensor import client
from custom_components.hearthwall.bpf.hearthwall_sensor.protocol import SensorError
from custom_components.hearthwall.bpf.hearthwall_sensor.remote import certificate, listener
from custom_components.hearthwall.bpf.hearthwall_sensor.requests import Unload
from custom_components.hearthwall.const import CONF_FINGERPRINT, CONF_SOCKET, DOMAIN
from custom_components.hearthwall.devices import gateway_identifier
from custom_components.hearthwall.diagnostics import async_get_config_entry_diagnostics
from tests.homeassistant.flows import Flow, submit
from tests.homeassistant.peer import Peer
from tests.homeassistant.remote_peer import HOST, IDENTITY, RemotePeer, unused_port


@pytest.fixture(autouse=True)
async def unload(hass: HomeAssistant) -> AsyncIterator[None]:
    """Leave no entry loaded."""
    yield
    for entry in hass.config_entries.async_loaded_entries(DOMAIN):
        await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done()


@pytest.fixture
async def far(tmp_path: Path) -> AsyncIterator[RemotePeer]:
    """A sensor on another host."""
    far = RemotePeer(tmp_path / "far")
    await far.start()
    yield far
    await far.stop()


@pytest.fixture
async def remote(hass: HomeAssistant, far: RemotePeer) -> MockConfigEntry:
    """An entry for it, set up."""
    entry = MockConfigEntry(domain=DOMAIN, title="Cellar", unique_id=IDENTITY, data=far.data)
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return entry


async def begin(hass: HomeAssistant, way: str = "token") -> Flow:
    result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    return await choose(hass, await choose(hass, dict(result), "remote"), way)


async def choose(hass: HomeAssistant, flow: Flow, step: str = "token") -> Flow:
    """Choose from a menu."""
    assert flow["type"] is FlowResultType.MENU
    assert step in flow["menu_options"]
    return await submit(hass, flow, {"next_step_id": step})


def announcement(far: RemotePeer, **fields: Any) -> ZeroconfServiceInfo:
    said: dict[str, Any] = {
        "ip_address": ip_address(HOST),
        "ip_addresses": [ip_address(HOST)],
        "port": far.port,
        "hostname": "hearthwall-001122334455.local.",
        "type": "_hearthwall._tcp.local.",
        "name": "gateway 001122._hearthwall._tcp.local.",
        "properties": {"id": far.identity, "version": "0.1.0"},
    }
    return ZeroconfServiceInfo(**(said | fields))


async def discover(hass: HomeAssistant, info: Any, source: str = SOURCE_ZEROCONF) -> Flow:
    return dict(
        await hass.config_entries.flow.async_init(DOMAIN, context={"source": source}, data=info)
    )


def suggested(flow: Flow) -> dict[str, Any]:
    """Return what a form is filled with."""
    return {
        str(key): key.description["suggested_value"]
        for key in flow["data_schema"].schema
        if key.description
    }


async def listen(answer: bytes) -> tuple[asyncio.Server, int]:
    """Listen for nothing in particular, and answer always the same."""

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, HOST, 0)
    return server, server.sockets[0].getsockname()[1]


async def test_a_sensor_on_another_host(hass: HomeAssistant, far: RemotePeer) -> None:
    flow = await begin(hass)
    assert flow["step_id"] == "token"
    said = flow["description_placeholders"]
    # As it is called where it is installed, and in a checkout
    assert said["token_command"] == "sudo hearthwall-sensor token homeassistant"
    assert said["token_copied"] == "sudo scripts/sensor token homeassistant"
    page = said["documents"].partition("/blob/main/")[2]
    document, _, section = page.partition("#")
    assert (
        f"## {section.replace('-', ' ').capitalize()}"
        in (Path(flows_of.__file__).parents[2] / document).read_text()
    )
    flow = await submit(hass, flow, far.typed | {CONF_HOST: f" {HOST} "})
    assert flow["type"] is FlowResultType.CREATE_ENTRY
    assert flow["title"] == f"Hearthwall ({HOST})"
    assert flow["data"] == far.data
    await hass.async_block_till_done()
    entry = flow["result"]
    assert entry.unique_id == IDENTITY
    assert entry.state is ConfigEntryState.LOADED
    assert not entry.runtime_data.supervised
    assert far.clients == 1


@pytest.mark.parametrize(
    ("typed", "errors"),
    [
        ({CONF_HOST: "https://192.168.1.1"}, {CONF_HOST: "invalid_address"}),
        ({CONF_HOST: "192.168.1.1:8447"}, {CONF_HOST: "invalid_address"}),
        ({CONF_TOKEN: "half of it"}, {CONF_TOKEN: "invalid_token"}),
        ({CONF_TOKEN: "x" * 42 + "\n\r"}, {}),
        ({CONF_TOKEN: "x\r\nX-Header: yes, please, do"}, {CONF_TOKEN: "invalid_token"}),
        ({CONF_FINGERPRINT: "AB:CD"}, {CONF_FINGERPRINT: "invalid_fingerprint"}),
        ({CONF_FINGERPRINT: "zz" * 32}, {CONF_FINGERPRINT: "invalid_fingerprint"}),
    ],
)
async def test_fields_are_checked_before_anything_is_sent(
    hass: HomeAssistant, far: RemotePeer, typed: dict[str, Any], errors: dict[str, str]
) -> None:
    flow = await submit(hass, await begin(hass), far.typed | typed)
    assert flow["errors"] == (errors or {"base": "unauthorised"})
    assert suggested(flow)[CONF_PORT] == far.port, "what was typed is kept"
    flow = await submit(hass, flow, far.typed)
    assert flow["type"] is FlowResultType.CREATE_ENTRY


async def test_each_failure_and_the_way_on(
    hass: HomeAssistant, far: RemotePeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow = await submit(hass, await begin(hass), far.typed | {CONF_PORT: unused_port()})
    assert flow["errors"] == {"base": "unreachable"}
    assert "refused" in flow["description_placeholders"]["message"]
    assert suggested(flow)[CONF_TOKEN] == far.token

    flow = await submit(hass, flow, far.typed | {CONF_FINGERPRINT: "ab" * 32})
    assert flow["errors"] == {"base": "wrong_certificate"}
    message = flow["description_placeholders"]["message"]
    assert far.typed[CONF_FINGERPRINT] in message
    assert ":".join(["AB"] * 32) in message

    flow = await submit(hass, flow, far.typed | {CONF_TOKEN: "x" * 43})
    assert flow["errors"] == {"base": "unauthorised"}

    for answer, expected in (
        (b"220 mail.example ESMTP\r\n", "invalid_message"),
        (b"", "unreachable"),
    ):
        server, port = await listen(answer)
        flow = await submit(hass, flow, far.typed | {CONF_PORT: port})
        assert flow["errors"] == {"base": expected}
        server.close()

    hello = far.hello
    for wrong, expected in (
        (hello | {"min_schema": 5, "max_schema": 6}, "sensor is too new"),
        (hello | {"min_schema": 0, "max_schema": 0}, "client is too new"),
    ):
        far.hello = wrong
        flow = await submit(hass, flow, far.typed)
        assert flow["errors"] == {"base": "unsupported_schema"}
        assert expected in flow["description_placeholders"]["message"]
    far.hello = "no JSON"
    flow = await submit(hass, flow, far.typed)
    assert flow["errors"] == {"base": "invalid_message"}
    far.hello = hello

    with monkeypatch.context() as patch:
        patch.setattr(client, "ANSWER_TIMEOUT", 0.2)
        far.silent.add("status")
        flow = await submit(hass, flow, far.typed)
        assert flow["errors"] == {"base": "timeout"}
        far.silent.clear()
    far.errors["status"] = SensorError("internal")
    flow = await submit(hass, flow, far.typed)
    assert flow["errors"] == {"base": "internal"}
    far.errors.clear()
    with monkeypatch.context() as patch:
        patch.setattr(listener, "MAX_CLIENTS_OF_TOKEN", 0)
        flow = await submit(hass, flow, far.typed)
        assert flow["errors"] == {"base": "too_many_clients"}

    flow = await submit(hass, flow, far.typed)
    assert flow["type"] is FlowResultType.CREATE_ENTRY


async def test_one_gateway_is_one_entry(
    hass: HomeAssistant, far: RemotePeer, remote: MockConfigEntry, peer: Peer, tmp_path: Path
) -> None:
    """Also if it is reached by its socket, at another address, or announces itself."""
    flow = await submit(hass, await begin(hass), far.typed)
    assert flow["reason"] == "already_configured"
    twin = RemotePeer(tmp_path / "twin")
    await twin.start()
    flow = await submit(hass, await begin(hass), twin.typed)
    assert flow["reason"] == "already_configured"
    await twin.stop()
    peer.hello["id"] = IDENTITY
    result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    result = await hass.config_entries.flow.async_configure(
        result["flow_id"], {"next_step_id": "existing"}
    )
    flow = await submit(hass, dict(result), {CONF_SOCKET: peer.socket})
    assert flow["reason"] == "already_configured"
    assert (await discover(hass, announcement(far)))["reason"] == "already_configured"


async def test_an_entry_of_before_learns_who_its_sensor_is(
    hass: HomeAssistant, entry: MockConfigEntry, peer: Peer, far: RemotePeer
) -> None:
    peer.hello["id"] = IDENTITY
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert entry.unique_id == IDENTITY
    before = dict(entry.data)
    assert (await discover(hass, announcement(far)))["reason"] == "already_configured"
    assert entry.data == before, "it is reached by its socket still"


# Announced by mDNS


async def test_a_sensor_that_announces_itself(hass: HomeAssistant, far: RemotePeer) -> None:
    flow = await discover(hass, announcement(far))
    assert flow["step_id"] == "discovered"
    assert flow["description_placeholders"]["place"] == f"{HOST}:{far.port}"
    (progress,) = hass.config_entries.flow.async_progress()
    assert progress["context"]["title_placeholders"] == {"name": HOST}
    flow = await choose(hass, flow)
    secrets = {key: far.typed[key] for key in (CONF_TOKEN, CONF_FINGERPRINT)}
    flow = await submit(hass, flow, secrets | {CONF_TOKEN: "x" * 43})
    assert flow["errors"] == {"base": "unauthorised"}
    flow = await submit(hass, flow, secrets)
    assert flow["type"] is FlowResultType.CREATE_ENTRY
    assert flow["data"] == far.data


@pytest.mark.parametrize(
    "fields",
    [
        {"properties": {}},
        {"properties": {"id": None}},
        {"properties": {"id": "x" * 32}},
        {"properties": {"id": "0" * 31}},
        {"port": None},
    ],
)
async def test_what_is_no_sensor_is_not_offered(
    hass: HomeAssistant, far: RemotePeer, fields: dict[str, Any]
) -> None:
    flow = await discover(hass, announcement(far, **fields))
    assert flow["reason"] == "not_a_sensor"


async def test_what_the_user_ignores_is_not_offered_again_but_can_be_set_up(
    hass: HomeAssistant, far: RemotePeer
) -> None:
    MockConfigEntry(domain=DOMAIN, unique_id=IDENTITY, source=SOURCE_IGNORE).add_to_hass(hass)
    assert (await discover(hass, announcement(far)))["reason"] == "already_configured"
    flow = await submit(hass, await begin(hass), far.typed)
    assert flow["type"] is FlowResultType.CREATE_ENTRY


async def test_another_address_is_taken_over(
    hass: HomeAssistant, far: RemotePeer, remote: MockConfigEntry
) -> None:
    assert await hass.config_entries.async_unload(remote.entry_id)
    before = far.port
    await far.stop()
    assert not await hass.config_entries.async_setup(remote.entry_id)
    assert remote.state is ConfigEntryState.SETUP_RETRY
    far.port = unused_port()
    await far.start()
    assert far.port != before
    assert (await discover(hass, announcement(far)))["reason"] == "already_configured"
    await hass.async_block_till_done()
    assert remote.data == far.data
    assert remote.state is ConfigEntryState.LOADED


async def test_an_announcement_of_somebody_else_leads_nowhere(
    hass: HomeAssistant, far: RemotePeer, remote: MockConfigEntry, tmp_path: Path
) -> None:
    """Neither while the sensor is connected nor while it is away, and the token is not told."""
    liar = RemotePeer(tmp_path / "liar")
    await liar.start()
    before = dict(remote.data)
    assert (await discover(hass, announcement(liar)))["reason"] == "already_configured"
    assert remote.data == before
    assert await hass.config_entries.async_unload(remote.entry_id)
    assert (await discover(hass, announcement(liar)))["reason"] == "already_configured"
    assert remote.data == before
    assert liar.received == []
    await liar.stop()


@contextlib.asynccontextmanager
async def relay(port: int) -> AsyncIterator[int]:
    """Pass connections on to a port, as whoever has no token can; yield the port of that."""
    writers: list[asyncio.StreamWriter] = []

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(HOST, port)
        writers.extend((writer, back))
        await asyncio.gather(pump(reader, back), pump(there, writer))

    server = await asyncio.start_server(serve, HOST, 0)
    yield server.sockets[0].getsockname()[1]
    for each in writers:
        each.close()
    server.close()
    await server.wait_closed()


async def test_who_passes_us_on_to_the_sensor_is_not_followed(
    hass: HomeAssistant,
    far: RemotePeer,
    remote: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It has neither certificate nor token, and both are good: TLS goes through it."""
    assert await hass.config_entries.async_unload(remote.entry_id)
    before = dict(remote.data)
    async with relay(far.port) as port:
        asked = len(far.received)
        flow = await discover(hass, announcement(far, port=port))
        assert flow["reason"] == "already_configured"
        assert len(far.received) > asked, "the sensor was asked, by way of it"
    assert remote.data == before
    assert "not followed" in caplog.text
    await hass.async_block_till_done()


async def test_an_older_sensor_that_does_not_say_where_it_is_is_not_followed(
    hass: HomeAssistant, far: RemotePeer, remote: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await hass.config_entries.async_unload(remote.entry_id)
    before = dict(remote.data)
    await far.stop()
    far.port = unused_port()
    await far.start()
    told = flows_of.probe

    async def probe(*arguments: Any) -> Any:
        hello, status = await told(*arguments)
        return replace(hello, address=None, port=None), status

    monkeypatch.setattr(flows_of, "probe", probe)
    assert (await discover(hass, announcement(far)))["reason"] == "already_configured"
    assert remote.data == before


async def test_a_gateway_that_is_connected_is_not_moved(
    hass: HomeAssistant, far: RemotePeer, remote: MockConfigEntry
) -> None:
    """Not even to where its sensor is, too: nothing is to be mended, and nobody is asked."""
    before = dict(remote.data)
    far.port = unused_port()
    await far.start()
    asked = len(far.received)
    assert (await discover(hass, announcement(far)))["reason"] == "already_configured"
    await hass.async_block_till_done()
    assert remote.data == before
    assert len(far.received) == asked


# An app, announced by the Supervisor


def of_app(far: RemotePeer, **config: Any) -> HassioServiceInfo:
    return HassioServiceInfo(
        config=far.typed | config, name="Hearthwall sensor", slug="local_hearthwall", uuid="1234"
    )


async def test_an_apps_sensor(hass: HomeAssistant, far: RemotePeer) -> None:
    flow = await discover(hass, of_app(far), SOURCE_HASSIO)
    assert flow["step_id"] == "hassio_confirm"
    assert flow["description_placeholders"] == {"app": "Hearthwall sensor"}
    flow = await submit(hass, flow, {})
    assert flow["type"] is FlowResultType.CREATE_ENTRY
    assert flow["title"] == "Hearthwall (Hearthwall sensor)"
    assert flow["data"] == far.data
    await hass.async_block_till_done()

    far.new_token()
    flow = await discover(hass, of_app(far), SOURCE_HASSIO)
    assert flow["reason"] == "already_configured"
    await hass.async_block_till_done()
    (entry,) = hass.config_entries.async_entries(DOMAIN)
    assert entry.data == far.data, "a new token is taken over"
    assert entry.state is ConfigEntryState.LOADED


async def test_an_app_does_not_take_a_known_sensors_place(
    hass: HomeAssistant, far: RemotePeer, remote: MockConfigEntry, tmp_path: Path
) -> None:
    """Whatever app says the identity, which everybody is told: it has not the sensor's certificate."""
    fake = RemotePeer(tmp_path / "fake")
    await fake.start()
    before = dict(remote.data)
    assert fake.data[CONF_FINGERPRINT] != before[CONF_FINGERPRINT]
    flow = await discover(hass, of_app(fake), SOURCE_HASSIO)
    assert flow["reason"] == "already_configured"
    await hass.async_block_till_done()
    assert remote.data == before
    assert (far.clients, fake.clients) == (1, 0)
    await fake.stop()


@pytest.mark.parametrize(
    "config",
    [
        {CONF_PORT: None},
        {CONF_PORT: "x"},
        {CONF_TOKEN: ""},
        {CONF_FINGERPRINT: 5},
        {CONF_HOST: "/"},
    ],
)
async def test_an_app_that_tells_nonsense(
    hass: HomeAssistant, far: RemotePeer, config: dict[str, Any]
) -> None:
    flow = await discover(hass, of_app(far, **config), SOURCE_HASSIO)
    assert flow["reason"] == "not_a_sensor"


async def test_an_app_that_does_not_answer_yet(hass: HomeAssistant, far: RemotePeer) -> None:
    info = of_app(far)
    await far.stop()
    flow = await discover(hass, info, SOURCE_HASSIO)
    assert flow["reason"] == "app_unreachable"
    assert "refused" in flow["description_placeholders"]["message"]
    await far.start()
    assert (await discover(hass, info, SOURCE_HASSIO))["step_id"] == "hassio_confirm"


async def test_an_app_whose_sensor_is_reached_by_its_socket_stays_so(
    hass: HomeAssistant, entry: MockConfigEntry, far: RemotePeer
) -> None:
    hass.config_entries.async_update_entry(entry, unique_id=IDENTITY)
    before = dict(entry.data)
    assert (await discover(hass, of_app(far), SOURCE_HASSIO))["reason"] == "already_configured"
    assert entry.data == before


# Later on


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let links that are made from now on try again soon."""
    monkeypatch.setattr(link, "FIRST_RETRY", 0.05)


async def test_a_revoked_token_asks_for_another(
    hass: HomeAssistant, far: RemotePeer, impatient: None, remote: MockConfigEntry
) -> None:
    before = far.token
    far.new_token()
    for _ in range(100):
        await asyncio.sleep(0.05)
        if progress := hass.config_entries.flow.async_progress():
            break
    assert [each["context"]["source"] for each in progress] == [SOURCE_REAUTH]
    assert not remote.runtime_data.available
    refused = far.turned_away
    assert refused
    await asyncio.sleep(0.5)
    assert far.turned_away == refused, "nobody asks on and on with a token that is not good"
    flow = dict(await hass.config_entries.flow.async_configure(progress[0]["flow_id"]))
    assert flow["step_id"] == "reauth_confirm"
    assert flow["description_placeholders"]["place"] == f"{HOST}:{far.port}"
    flow = await choose(hass, flow)
    assert suggested(flow) == {CONF_FINGERPRINT: far.typed[CONF_FINGERPRINT]}

    secrets = {key: far.typed[key] for key in (CONF_TOKEN, CONF_FINGERPRINT)}
    flow = await submit(hass, flow, secrets | {CONF_TOKEN: before})
    assert flow["errors"] == {"base": "unauthorised"}
    far.hello["id"] = "f" * 32
    assert (await submit(hass, flow, secrets))["reason"] == "another_sensor"
    far.hello["id"] = IDENTITY

    assert remote.state is ConfigEntryState.LOADED
    await hass.config_entries.async_reload(remote.entry_id)
    assert remote.state is ConfigEntryState.SETUP_ERROR
    (progress,) = hass.config_entries.flow.async_progress()
    flow = dict(await hass.config_entries.flow.async_configure(progress["flow_id"]))
    flow = await submit(hass, await choose(hass, flow), secrets)
    assert flow["reason"] == "reauth_successful"
    await hass.async_block_till_done()
    assert remote.state is ConfigEntryState.LOADED
    assert remote.data == far.data
    assert remote.title == "Cellar"


async def test_another_certificate_is_an_issue_that_shows_both_until_it_is_reconfigured(
    hass: HomeAssistant, far: RemotePeer, remote: MockConfigEntry
) -> None:
    before = far.typed[CONF_FINGERPRINT]
    assert await hass.config_entries.async_unload(remote.entry_id)
    await far.stop()
    (far.state / certificate.CERTIFICATE_FILE).unlink()
    await far.start()
    after = far.typed[CONF_FINGERPRINT]
    assert not await hass.config_entries.async_setup(remote.entry_id)
    registry = ir.async_get(hass)
    (issue,) = registry.issues.values()
    assert issue.translation_key == "wrong_certificate"
    assert not issue.is_fixable
    assert issue.translation_placeholders is not None
    said = issue.translation_placeholders
    assert (said["found"], said["expected"]) == (after, before)
    flow = await choose(hass, dict(await remote.start_reconfigure_flow(hass)))
    assert (await submit(hass, flow, far.typed))["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert remote.state is ConfigEntryState.LOADED
    assert not registry.issues


async def test_reconfigure_follows_a_sensor_that_was_set_up_anew(
    hass: HomeAssistant, far: RemotePeer, remote: MockConfigEntry, tmp_path: Path
) -> None:
    flow = dict(await remote.start_reconfigure_flow(hass))
    assert flow["step_id"] == "remote"
    flow = await choose(hass, flow)
    assert suggested(flow) == far.typed
    anew = RemotePeer(tmp_path / "anew", identity="a" * 32)
    await anew.start()
    flow = await submit(hass, flow, anew.typed | {CONF_FINGERPRINT: far.typed[CONF_FINGERPRINT]})
    assert flow["errors"] == {"base": "wrong_certificate"}
    flow = await submit(hass, flow, anew.typed)
    assert flow["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert (remote.unique_id, remote.data, remote.title) == ("a" * 32, anew.data, "Cellar")
    assert (anew.clients, far.clients) == (1, 0)
    await hass.config_entries.async_unload(remote.entry_id)
    await anew.stop()


async def test_reconfigure_does_not_take_another_entrys_sensor(
    hass: HomeAssistant, far: RemotePeer, remote: MockConfigEntry, tmp_path: Path
) -> None:
    other = RemotePeer(tmp_path / "other", identity="b" * 32)
    await other.start()
    MockConfigEntry(domain=DOMAIN, unique_id="b" * 32, data=other.data).add_to_hass(hass)
    flow = await choose(hass, dict(await remote.start_reconfigure_flow(hass)))
    assert (await submit(hass, flow, other.typed))["reason"] == "already_configured"
    twin = RemotePeer(tmp_path / "twin", identity="b" * 32)
    await twin.start()
    flow = await choose(hass, dict(await remote.start_reconfigure_flow(hass)))
    assert (await submit(hass, flow, twin.typed))["reason"] == "already_configured"
    assert remote.data == far.data
    await other.stop()
    await twin.stop()


async def test_the_sensor_of_somebody_else_is_left_running(
    hass: HomeAssistant, far: RemotePeer, remote: MockConfigEntry
) -> None:
    assert await hass.config_entries.async_unload(remote.entry_id)
    await hass.config_entries.async_setup(remote.entry_id)
    await hass.config_entries.async_remove(remote.entry_id)
    await hass.async_block_till_done()
    assert far.orders(Unload) == []
    assert far.clients == 0


async def test_a_sensor_that_comes_back_is_connected_again(
    hass: HomeAssistant,
    far: RemotePeer,
    remote: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(link, "FIRST_RETRY", 0.05)
    await far.stop()
    await asyncio.sleep(0.3)
    assert not remote.runtime_data.available
    await far.start()
    for _ in range(100):
        await asyncio.sleep(0.05)
        if remote.runtime_data.available:
            break
    assert remote.runtime_data.available
    assert not re.search(re.escape(far.token), caplog.text), "no log tells the token"


async def test_several_gateways_are_told_apart_by_their_names(
    hass: HomeAssistant, far: RemotePeer, remote: MockConfigEntry, peer: Peer
) -> None:
    result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    result = await hass.config_entries.flow.async_configure(
        result["flow_id"], {"next_step_id": "existing"}
    )
    flow = await submit(hass, dict(result), {CONF_SOCKET: peer.socket})
    await hass.async_block_till_done()
    gateways = [gateway_identifier(each) for each in (remote, flow["result"])]
    registered = dr.async_get(hass).async_get_devices(identifiers=set(gateways))
    assert sorted(each.name or "" for each in registered) == ["Hearthwall", "Hearthwall (br-lan)"]


async def test_diagnostics_do_not_tell_what_lets_in(
    hass: HomeAssistant, far: RemotePeer, remote: MockConfigEntry
) -> None:
    told = json.dumps(await async_get_config_entry_diagnostics(hass, remote), default=str)
    for secret in (far.token, far.data[CONF_FINGERPRINT], HOST):
        assert secret not in told
