"""What all tests share: the integration is imported before a `hass` fixture looks for one of its own."""

# pytest-homeassistant-custom-component brings a custom_components package, which would be found first
import custom_components.hearthwall  # noqa: F401
