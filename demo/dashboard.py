"""The dashboard: Hearthwall's own, which builds itself from what is set up."""

from typing import Final

from demo.api import Api

PATH: Final = "hearthwall-home"
TITLE: Final = "Hearthwall"


async def create(api: Api) -> None:
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
    config = {"strategy": {"type": "custom:hearthwall"}}
    await api.command("lovelace/config/save", url_path=PATH, config=config)
    await api.command("frontend/set_system_data", key="core", value={"default_panel": PATH})
