"""The command that reads the settings' file as `run` does, and says what they come to."""

import argparse
from typing import Any, Final

from ..words.cells import clean
from .command import Command, Options

#: The exit status for a file in which nothing is wrong and nothing is named; a mistake's is 1, as of any command.
NOTHING_NAMED: Final = 2
_SIDES: Final = {"lan": "the home's side", "wan": "the internet's side"}


def _run(options: Options) -> Any:
    """Read the settings; raises SensorError for whatever `run` would not begin with."""
    from pathlib import Path

    from .. import newer, settings

    chosen = settings.read(options.config, {})
    if not chosen.guarded:
        options.exit_status = NOTHING_NAMED
    return {
        "file": options.config,
        "guarded": chosen.guarded,
        "socket": chosen.socket,
        "state_dir": chosen.state_dir,
        "newer_state": newer.newer(Path(chosen.state_dir)),
        "listen": chosen.listen,
        "sinks": [each.name for each in chosen.sinks],
    }


def _show(result: dict[str, Any]) -> str:
    """Show what is guarded, where the sensor listens and where events go."""
    file = clean(result["file"])
    named = [f"{clean(name)} ({_SIDES[side]})" for name, side in result["guarded"].items()]
    if not named:
        return (
            f"{file} names nothing to guard yet: write the interface that leads to the home into it, such as"
            ' interfaces = ["br-lan"]'
        )
    sentences = [
        f"{file} can be read. Guarded is {', '.join(named)}.",
        _listening(result["listen"]),
        *_sinks(result["sinks"]),
        *_newer(result),
    ]
    return "\n".join(sentences)


def _listening(listen: str | None) -> str:
    """Return where other hosts reach the sensor with these settings."""
    if listen is None:
        return "It does not listen for other hosts."
    return f"It listens for other hosts on {clean(listen)}."


def _sinks(names: list[str]) -> list[str]:
    """Return where events go beside Home Assistant."""
    if not names:
        return []
    return [f"Events also go to the sink{'s' if len(names) > 1 else ''} {', '.join(names)}."]


def _newer(result: dict[str, Any]) -> list[str]:
    """Return what this version would not understand of what is kept."""
    what = result["newer_state"]
    if what is None:
        return []
    return [
        f"What a newer version wrote in {clean(result['state_dir'])} is not understood: {clean(what)}."
    ]


def _arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `settings` takes."""
    from ..installation.places import CONFIG

    parser.add_argument(
        "--config", metavar="FILE", default=str(CONFIG), help=f"which file (default {CONFIG})"
    )
    parser.epilog = (
        "The exit status is 1 for a mistake in the file,"
        f" and {NOTHING_NAMED} where it names nothing to guard."
    )


COMMANDS: Final = {
    "settings": Command(
        "read the settings as `run` does, and say what they come to", _run, _show, _arguments
    )
}
