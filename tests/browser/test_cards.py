"""The cards in a real Chromium, on a real Home Assistant with a sensor in the kernel of the lab's gateway."""

import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_socket
from playwright.sync_api import Browser, Locator, expect, sync_playwright

from demo.browser import CHROMIUM, FLAGS
from demo.household import CAMERA, HOUSEHOLD, TV, Member
from demo.relay import Relay
from tests.browser.standing import ROOT, Standing, standing
from tests.browser.visitor import PATIENCE, Visitor

NAME: Final = f"c{os.getpid()}"
#: Pictures of each view, for people to look at.
PICTURES: Final = Path(os.environ.get("HEARTHWALL_SCREENSHOTS", ROOT / "screenshots"))
SIZES: Final = {"phone": (360, 780), "desktop": (1440, 900), "wall": (1920, 1080)}
SCHEMES: Final = ("light", "dark")
HOME: Final = "/hearthwall-home"
CARDS: Final = "/all-cards/cards"
PLUG: Final = next(member for member in HOUSEHOLD if member.host == "plug")
#: From a packet's arrival to the figure on the screen, in seconds.
LIVE: Final = 3
#: Home Assistant stops and starts.
RESTART: Final = 180_000
#: Resolves as soon as a row shows that hundreds of kilobytes or more are uploaded in a second.
UPLOADS: Final = r"""(row) => new Promise((done) => {
  const look = () => {
    const [, upload] = row.shadowRoot.querySelectorAll(".rates > span");
    if (/\d{3}\skB|MB/.test(upload.textContent)) done();
    else requestAnimationFrame(look);
  };
  look();
})"""

# The first run on a machine makes the venv that runs Home Assistant
pytestmark = [pytest.mark.lab, pytest.mark.browser, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def demo() -> Iterator[Standing]:
    with standing(NAME, 8323) as demo:
        yield demo


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        expect.set_options(timeout=PATIENCE)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


class Line:
    """The network between the browser and Home Assistant."""

    def __init__(self, demo: Standing) -> None:
        self._namespace = demo.stage.lab.netns("gateway")
        self._relay = Relay(8423, self._namespace)
        self._relay.__enter__()
        self.port = self._relay.port

    def cut(self) -> None:
        self._relay.__exit__(None, None, None)

    def mend(self) -> None:
        self._relay = Relay(self.port, self._namespace)
        assert self._relay.port == self.port
        self._relay.__enter__()


@pytest.fixture(autouse=True)
def _sockets_may_be_used(socket_enabled: None) -> None:
    pytest_socket.socket_allow_hosts(["127.0.0.1"], allow_unix_socket=True)


@pytest.fixture(scope="module")
def line(demo: Standing) -> Iterator[Line]:
    pytest_socket.enable_socket()
    line = Line(demo)
    yield line
    line.cut()


@pytest.fixture(scope="module")
def guest(demo: Standing, line: Line, chromium: Browser) -> Visitor:
    """Somebody who has logged in, and made a dashboard of all cards."""
    width, height = SIZES["desktop"]
    # The frontend's service worker loads the page anew when it is there for the first time
    context = chromium.new_context(
        viewport={"width": width, "height": height}, service_workers="block"
    )
    context.set_default_timeout(PATIENCE)
    guest = Visitor(context.new_page(), f"http://localhost:{line.port}")
    guest.log_in(demo)
    guest.command(
        type="lovelace/dashboards/create",
        url_path=CARDS.split("/")[1],
        title="All cards",
        mode="storage",
        require_admin=False,
        show_in_sidebar=False,
    )
    guest.command(
        type="lovelace/config/save", url_path=CARDS.split("/")[1], config=all_cards(guest)
    )
    return guest


def all_cards(guest: Visitor) -> dict[str, Any]:
    """Return a dashboard with each card, the badge and the tile's feature."""
    tile = {
        "type": "tile",
        "entity": guest.entity_id(PLUG.name, "quarantine"),
        "features": [{"type": "custom:hearthwall-quarantine-feature"}],
    }
    card = "custom:hearthwall-{}-card".format
    sections = (
        [{"type": card("devices")}, tile, {"type": card("events")}],
        [
            {"type": card("device"), "device_id": guest.device_id(TV.name)},
            {"type": card("flow-map")},
        ],
    )
    view = {
        "title": "Cards",
        "path": CARDS.split("/")[2],
        "type": "sections",
        "max_columns": 2,
        "badges": [{"type": "custom:hearthwall-badge"}],
        "sections": [{"type": "grid", "cards": cards} for cards in sections],
    }
    return {"views": [view]}


@pytest.fixture(autouse=True)
def _nothing_is_complained_of(guest: Visitor) -> Iterator[None]:
    yield
    complaints, guest.complaints = guest.complaints, []
    assert not complaints


@pytest.fixture(autouse=True)
def _nobody_is_cut_off(request: pytest.FixtureRequest, guest: Visitor) -> None:
    """Whatever a test that failed has left."""
    if "restricted" not in request.fixturenames:
        guest.release_all()


def check_cut_off(demo: Standing, member: Member) -> None:
    """The device is cut off, and its neighbour is not."""
    of_member, of_tv = demo.look(member, TV)
    assert of_member.cut_off, of_member
    assert of_tv.connected, of_tv


def check_connected(demo: Standing, member: Member) -> None:
    (of_member,) = demo.look(member)
    assert of_member.connected, of_member


def test_each_card_is_there(guest: Visitor) -> None:
    guest.open(CARDS)
    for member in HOUSEHOLD:
        expect(guest.row(member.name)).to_be_visible()
        expect(guest.row(member.name)).to_contain_text("Online")
    device = guest.card("device-view")
    expect(device).to_contain_text(TV.name)
    expect(device).to_contain_text("video.example")
    expect(device).to_contain_text(TV.mac)
    names = guest.card("flow-map-card").get_by_role("button")
    expect(names.filter(has_text=TV.name)).to_be_visible()
    expect(names.filter(has_text="video.example")).to_be_visible()
    expect(guest.card("events-card")).to_contain_text("Events")
    expect(guest.card("badge")).to_contain_text("6/6 online")
    expect(guest.card("quarantine-feature").get_by_role("button")).to_have_text("Quarantine")
    expect(guest.page.locator("hui-error-card, hui-warning")).to_have_count(0)


def test_a_figure_moves_within_three_seconds(demo: Standing, guest: Visitor) -> None:
    guest.open(CARDS)
    expect(guest.row(PLUG.name)).to_be_visible()
    demo.stage.lab.reset_sink()
    load = ("--rate", "2000", "--size", "1000", "--seconds", "20")
    with demo.running("send", "--from", PLUG.host, *load):
        guest.row(PLUG.name).evaluate(UPLOADS)
        seen = time.monotonic()
        assert seen - demo.first_arrival(PLUG.host) < LIVE


def test_quarantine_by_the_devices_card_and_undo(demo: Standing, guest: Visitor) -> None:
    guest.open(CARDS)
    switch = guest.switch(CAMERA.name)
    expect(switch).not_to_be_checked()
    switch.click()
    guest.confirm("Quarantine")
    expect(switch).to_be_checked()
    expect(guest.row(CAMERA.name)).to_contain_text("Quarantined")
    expect(guest.card("badge")).to_contain_text("rules: 1")
    check_cut_off(demo, CAMERA)
    guest.card("devices-card").get_by_role("button", name="Undo").click()
    expect(switch).not_to_be_checked()
    check_connected(demo, CAMERA)


def test_quarantine_by_the_device_card_for_a_while(demo: Standing, guest: Visitor) -> None:
    guest.open(f"{HOME}/device-{guest.device_id(CAMERA.name)}")
    view = guest.card("device-view")
    view.get_by_role("button", name="Quarantine", exact=True).click()
    guest.confirm("Quarantine", choice="For 15 minutes")
    expect(view.get_by_role("timer").first).to_have_text(re.compile(r"1[45] min left"))
    check_cut_off(demo, CAMERA)
    view.get_by_role("button", name="Release", exact=True).first.click()
    guest.confirm("Release")
    expect(view.get_by_role("timer")).to_have_count(0)
    check_connected(demo, CAMERA)


def test_quarantine_by_a_tile(demo: Standing, guest: Visitor) -> None:
    guest.open(CARDS)
    button = guest.card("quarantine-feature").get_by_role("button").first
    button.click()
    guest.confirm("Quarantine")
    expect(button).to_have_text("Release")
    check_cut_off(demo, PLUG)
    button.click()
    guest.confirm("Release")
    expect(button).to_have_text("Quarantine")
    check_connected(demo, PLUG)


def test_a_miner_appears_and_is_cut_off_by_its_event(demo: Standing, guest: Visitor) -> None:
    guest.open(f"{HOME}/events")
    events = guest.card("events-card")
    expect(events.get_by_role("heading", name="Events")).to_be_visible()
    mined = events.locator("li", has_text="Forbidden protocol").filter(has_text=PLUG.name)
    expect(mined).to_have_count(0)
    with demo.running("attack", "stratum"):
        expect(mined).to_be_visible()
    mined.get_by_role("button", expanded=False).click()
    expect(mined).to_contain_text("Stratum")
    mined.get_by_role("button", name=f"Quarantine {PLUG.name}").click()
    guest.confirm("Quarantine")
    expect(mined.get_by_role("button", name=f"Release {PLUG.name}")).to_be_visible()
    check_cut_off(demo, PLUG)
    events.get_by_role("button", name="Undo").click()
    expect(mined.get_by_role("button", name=f"Quarantine {PLUG.name}")).to_be_visible()
    check_connected(demo, PLUG)


def test_a_killed_sensor_is_told_of_and_comes_back(demo: Standing, guest: Visitor) -> None:
    guest.open(CARDS)
    lost = guest.page.get_by_text("Not connected to the sensor")
    expect(guest.switch(TV.name)).to_be_enabled()
    killed = demo.kill_sensor()
    expect(lost.first).to_be_visible()
    expect(lost).to_have_count(0)
    expect(guest.switch(TV.name)).to_be_enabled()
    check_moves(guest)
    assert demo.kill_sensor() != killed
    expect(lost.first).to_be_visible()
    expect(lost).to_have_count(0)


def check_moves(guest: Visitor) -> None:
    """The camera's figure, which streams all the time, becomes another one, again and again."""
    rates = guest.row(CAMERA.name).locator(".rates")
    for _ in range(2):
        expect(rates).not_to_have_text(rates.inner_text())


def test_a_lost_connection_is_told_of_and_comes_back(guest: Visitor, line: Line) -> None:
    guest.open(CARDS)
    check_moves(guest)
    lost = guest.card("devices-card").get_by_text("No connection to Home Assistant")
    line.cut()
    try:
        expect(lost).to_be_visible()
        expect(guest.switch(TV.name)).to_be_disabled()
    finally:
        line.mend()
    expect(lost).to_have_count(0)
    expect(guest.switch(TV.name)).to_be_enabled()
    check_moves(guest)


def test_home_assistant_restarts_and_the_page_goes_on(guest: Visitor) -> None:
    guest.open(CARDS)
    check_moves(guest)
    # A page that was loaded anew would not have it
    guest.page.evaluate("() => { window.stayed = true; }")
    lost = guest.card("devices-card").get_by_text("No connection to Home Assistant")
    guest.action("homeassistant", "restart")
    expect(lost).to_be_visible()
    expect(lost).to_have_count(0, timeout=RESTART)
    expect(guest.switch(TV.name)).to_be_enabled(timeout=RESTART)
    check_moves(guest)
    expect(guest.card("badge")).to_contain_text("6/6 online")
    assert guest.page.evaluate("() => window.stayed")


def test_the_dashboard_is_one_click_in_the_dialog_for_new_ones(guest: Visitor) -> None:
    guest.open("/config/lovelace/dashboards")
    guest.page.get_by_role("button", name="Add dashboard").click()
    guest.page.get_by_role("button", name="Hearthwall", exact=True).click()
    guest.page.get_by_role("button", name="Create", exact=True).click()
    guest.page.get_by_text("Hearthwall", exact=True).last.wait_for()
    guest.open("/dashboard-hearthwall")
    expect(guest.row(CAMERA.name)).to_be_visible()
    for tab in ("Overview", "Map", "Events", "Devices", "Gateway"):
        expect(guest.page.get_by_role("tab", name=tab)).to_be_attached()


@pytest.fixture(scope="module")
def restricted(guest: Visitor) -> Iterator[None]:
    """The plug is in quarantine for a while, so that there is something to be seen."""
    target = {"device_id": [guest.device_id(PLUG.name)]}
    guest.action("hearthwall", "quarantine", {"duration": {"hours": 1}}, target)
    yield
    guest.action("hearthwall", "release", {}, target)


#: The views: where they are, and what is on them once they have what they ask for.
VIEWS: Final[dict[str, tuple[str, Callable[[Visitor], Locator]]]] = {
    "overview": (f"{HOME}/overview", lambda guest: guest.row(PLUG.name).get_by_role("timer")),
    "map": (f"{HOME}/map", lambda guest: guest.card("flow-map-card").locator(".label").first),
    "events": (f"{HOME}/events", lambda guest: guest.card("events-card").locator(".details dl")),
    "device": (
        f"{HOME}/device-{{plug}}",
        lambda guest: guest.card("device-view").locator(".bar").first,
    ),
    "cards": (CARDS, lambda guest: guest.card("flow-map-card").locator(".label").first),
    "question": (f"{HOME}/overview", lambda guest: guest.page.get_by_role("dialog").locator("h2")),
}


def open_an_event(guest: Visitor) -> None:
    """Open what is grave, if there is something."""
    events = guest.card("events-card")
    expect(events.locator(".line").first).to_be_visible()
    grave = events.locator(".high .line")
    (grave if grave.count() else events.locator(".line")).first.click()


STEPS: Final[dict[str, Callable[[Visitor], None]]] = {
    "events": open_an_event,
    "question": lambda guest: guest.switch(CAMERA.name).click(),
}


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.usefixtures("restricted")
def test_pictures_show_no_fault(guest: Visitor, language: str) -> None:
    """Each view by day and by night, on three screens: nothing is too wide, and axe-core finds no fault."""
    guest.set_language(language)
    plug = guest.device_id(PLUG.name)
    for view, (path, there) in VIEWS.items():
        guest.open(path.format(plug=plug))
        if view in STEPS:
            STEPS[view](guest)
        expect(there(guest)).to_be_visible()
        for scheme in SCHEMES:
            for screen, size in SIZES.items():
                guest.show(size, scheme)
                guest.picture(PICTURES / f"{view}-{language}-{screen}-{scheme}.png")
                assert not guest.too_wide(), (view, screen)
                if screen != "wall":
                    assert not guest.faults(), (view, screen, scheme)
