"""What sensors of earlier versions say to what they do not know."""

from typing import Any

from custom_components.hearthwall.bpf.hearthwall_sensor.protocol import SensorError


def refuse_processes(said: dict[str, Any]) -> None:
    """Refuse what a sensor from before there were processes does, in its words."""
    if said["type"] == "processes":
        raise SensorError("unknown_command", "no command is called 'processes'")
    if unknown := {"process", "of", "children"} & said.keys():
        raise SensorError("invalid_message", f"{said['type']} has no field {min(unknown)!r}")
    if "target" in said and said["target"].startswith(("exe:", "dir:", "pid:")):
        raise SensorError("invalid_target", f"{said['target']!r} is not a prefix")
