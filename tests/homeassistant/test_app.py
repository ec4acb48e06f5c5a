"""What the app tells the Supervisor is what Home Assistant sets a sensor up by."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from homeassistant.config_entries import SOURCE_HASSIO
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.service_info.hassio import HassioServiceInfo

from custom_components.hearthwall.const import DOMAIN
from tests.homeassistant.flows import submit
from tests.homeassistant.remote_peer import HOST, RemotePeer
from tests.unit.app import supervisor


async def test_home_assistant_takes_what_the_app_tells(
    hass: HomeAssistant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    far = RemotePeer(tmp_path / "far")
    await far.start()
    told: list[dict[str, Any]] = []

    class Api(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

    api = HTTPServer(("127.0.0.1", 0), Api)
    threading.Thread(target=api.handle_request).start()
    answers = {
        "certificate": {"fingerprint": far.typed["fingerprint"]},
        "token --list": {"tokens": []},
        f"token {supervisor.TOKEN_NAME}": {"token": far.typed["token"]},
    }
    monkeypatch.setattr(supervisor, "asked", lambda *words, until: answers[" ".join(words)])
    monkeypatch.setattr(supervisor, "DISCOVERY", f"http://127.0.0.1:{api.server_port}/discovery")
    app = supervisor.Supervisor(tmp_path, f"{HOST}:{far.port}", "key")
    await hass.async_add_executor_job(app.tell)
    api.server_close()

    assert app.due is None
    (message,) = told
    assert message["service"] == DOMAIN
    info = HassioServiceInfo(
        config=message["config"], name="Hearthwall sensor", slug="hearthwall", uuid="1234"
    )
    flow = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_HASSIO}, data=info
    )
    flow = await submit(hass, dict(flow), {})
    assert flow["type"] is FlowResultType.CREATE_ENTRY
    assert flow["data"] == far.data
    await hass.async_block_till_done()
    for entry in hass.config_entries.async_loaded_entries(DOMAIN):
        await hass.config_entries.async_unload(entry.entry_id)
    await far.stop()
