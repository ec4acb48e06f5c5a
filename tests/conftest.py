"""What all tests share: the integration is imported before a `hass` fixture looks for one of its own."""

# pytest-homeassistant-custom-component brings a custom_components package, which would be found first
import custom_components.hearthwall  # noqa: F401


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name bytes by what they are for: they may be others in each process, and tests are told apart by name."""
    return argname if isinstance(val, bytes) and len(val) > 16 else None
