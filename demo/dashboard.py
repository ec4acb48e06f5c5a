"""The dashboard of the six devices, made of Home Assistant's own cards."""

from collections.abc import Mapping
from typing import Any, Final

from demo.api import Api
from demo.household import HOUSEHOLD, Member
from demo.setup import Entities

PATH: Final = "hearthwall-home"
TITLE: Final = "Hearthwall"

#: How far graphs reach back, in hours: minutes, so that something is to be seen soon.
TREND_HOURS: Final = 2 / 60
GRAPH_HOURS: Final = 4 / 60
COLUMNS: Final = 3

type Config = dict[str, Any]


async def create(api: Api, entities: Entities) -> None:
    """Create the dashboard, and make it the first page after log-in."""
    await api.command(
        "lovelace/dashboards/create",
        url_path=PATH,
        title=TITLE,
        icon="mdi:wall-fire",
        mode="storage",
        require_admin=False,
        show_in_sidebar=True,
    )
    await api.command("lovelace/config/save", url_path=PATH, config=dashboard(entities))
    await api.command("frontend/set_system_data", key="core", value={"default_panel": PATH})


def dashboard(entities: Entities) -> Config:
    """Return the dashboard's configuration."""
    return {
        "title": TITLE,
        "views": [
            {
                "title": "Home network",
                "path": "home",
                "type": "sections",
                "max_columns": COLUMNS,
                "badges": _badges(entities),
                "sections": [
                    *(_device(member, entities[member.host]) for member in HOUSEHOLD),
                    _together(entities),
                ],
            }
        ],
    }


def _badges(entities: Entities) -> list[Config]:
    """Return the gateway's summary, and whoever is in quarantine."""
    gateway = entities["gateway"]
    summary = (
        ("connection", "green"),
        ("devices_online", "green"),
        ("download_rate", "blue"),
        ("upload_rate", "purple"),
        ("active_blocks", "blue-grey"),
    )
    return [
        *(
            _badge(gateway[kind], color=color, name={"type": "entity"}, show_name=True)
            for kind, color in summary
        ),
        *(_quarantine_badge(member, entities[member.host]["quarantine"]) for member in HOUSEHOLD),
    ]


def _quarantine_badge(member: Member, switch: str) -> Config:
    """Return the badge that is there while the device is cut off, and says since when."""
    return _badge(
        switch,
        name=f"{member.name} in quarantine",
        color="red",
        show_name=True,
        state_content="last_changed",
        visibility=[{"condition": "state", "entity": switch, "state": "on"}],
    )


def _badge(entity: str, **more: Any) -> Config:
    return {"type": "entity", "entity": entity, **more}


def _device(member: Member, entities: Mapping[str, str]) -> Config:
    """Return a device's section: what it moves, and the switch that cuts it off."""
    return {
        "type": "grid",
        "cards": [
            {
                "type": "heading",
                "heading": member.name,
                "icon": member.icon,
                "badges": [_badge(entities["presence"], show_state=True, color="state")],
            },
            _tile(entities["download_rate"], "blue", _trend()),
            _tile(entities["upload_rate"], "purple", _trend()),
            _tile(entities["download_total"], "blue"),
            _tile(entities["upload_total"], "purple"),
            _tile(
                entities["quarantine"],
                "red",
                {"features": [{"type": "toggle"}], "features_position": "inline"},
                columns=12,
            ),
        ],
    }


def _tile(entity: str, color: str, more: Config | None = None, columns: int = 6) -> Config:
    """Return a tile; the section's heading says which device it is."""
    return {
        "type": "tile",
        "entity": entity,
        "name": {"type": "entity"},
        "color": color,
        "grid_options": {"columns": columns},
        **(more or {}),
    }


def _trend() -> Config:
    return {"features": [{"type": "trend-graph", "hours_to_show": TREND_HOURS}]}


def _together(entities: Entities) -> Config:
    """Return the section that compares all devices and tells what happened."""
    return {
        "type": "grid",
        "column_span": COLUMNS,
        "cards": [
            {"type": "heading", "heading": "All devices", "icon": "mdi:home-analytics"},
            _graph("Download", "download_rate", entities),
            _graph("Upload", "upload_rate", entities),
            {
                "type": "logbook",
                "title": "Quarantine",
                "hours_to_show": 24,
                "target": {
                    "entity_id": [entities[member.host]["quarantine"] for member in HOUSEHOLD]
                },
                "grid_options": {"columns": 12, "rows": 6},
            },
        ],
    }


def _graph(title: str, kind: str, entities: Entities) -> Config:
    return {
        "type": "history-graph",
        "title": title,
        "hours_to_show": GRAPH_HOURS,
        "entities": [
            {"entity": entities[member.host][kind], "name": {"type": "device"}}
            for member in HOUSEHOLD
        ],
        "grid_options": {"columns": 12, "rows": 6},
    }
