"""The commands for Prometheus: the metrics as text or in a file, and the certificate that its TLS asks for."""

import argparse
import sys
from pathlib import Path
from typing import Any, Final

from ..protocol import METRICS_PATH, SensorError
from .command import Command, Options, explained
from .output import put
from .service import how_to_restart

#: What the formats are called in HTTP.
_CLASSIC: Final = "text/plain"
_OPENMETRICS: Final = "application/openmetrics-text; version=1.0.0"
#: What is to be done with a new certificate, beside the certificate itself, which may go into a file.
_RENEWED: Final = (
    "A new key and certificate were made. Have the sensor use them: {}. Then let each Home Assistant in again, by"
    " *Reconfigure* there and a code of `pair`, and give each Prometheus the new certificate."
)


def _run(options: Options) -> Any:
    """Ask the running sensor, and print the answer or put it into a file."""
    is_classic = options.classic or options.output is not None
    told = explained(_asked(options.socket, _CLASSIC if is_classic else _OPENMETRICS), options)
    if options.output is None:
        return told
    put(Path(options.output), told["text"].encode())
    return {"file": options.output} if options.json else None


async def _asked(socket: str, accept: str) -> dict[str, str]:
    """Return what the sensor on a socket answers."""
    import aiohttp

    from ..client import ANSWER_TIMEOUT, unix_session

    timeout = aiohttp.ClientTimeout(total=ANSWER_TIMEOUT)
    try:
        async with (
            unix_session(socket) as session,
            session.get(
                f"http://sensor{METRICS_PATH}", headers={"Accept": accept}, timeout=timeout
            ) as answer,
        ):
            text = await answer.text()
            if answer.status != 200:
                raise _refused(answer.status, text.strip())
            return {"content_type": answer.headers["Content-Type"], "text": text}
    except TimeoutError as error:
        raise SensorError("timeout") from error
    except (aiohttp.ClientError, OSError) as error:
        is_refused = isinstance(getattr(error, "os_error", error), PermissionError)
        raise SensorError("not_permitted" if is_refused else "not_running") from error


def _refused(status: int, why: str) -> SensorError:
    """Return what a sensor that tells nothing means."""
    codes = {403: "not_permitted", 501: "missing_capability", 503: "too_many_clients"}
    if status == 404:
        return SensorError(
            "unknown_command", "the sensor that runs has no metrics yet: restart it in this version"
        )
    return SensorError(codes.get(status, "internal"), why or None)


def _arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `metrics` takes."""
    parser.add_argument(
        "--classic",
        action="store_true",
        help="print Prometheus' classic text in place of OpenMetrics",
    )
    parser.add_argument(
        "--output",
        metavar="FILE",
        help="put the classic text into this file, whole or not at all: for node_exporter's textfile"
        " collector, which reads *.prom",
    )


def _certificate(options: Options) -> Any:
    """Return the certificate, a new one if that is asked for; raises SensorError."""
    from .. import files, privileges
    from ..remote import certificate
    from .remote import require_sensor, state_folder

    privileges.require_root("certificate")
    state = state_folder(options)
    require_sensor(options, state)
    files.private_folder(state)
    if options.renew:
        certificate.renew(state)
        print(_RENEWED.format(how_to_restart()), file=sys.stderr)
    path = certificate.ensure(state)
    fingerprint = certificate.fingerprint(path)
    if options.fingerprint:
        return {"fingerprint": fingerprint, "renewed": options.renew}
    if not certificate.is_named(path):
        raise SensorError(
            "storage_failed",
            "the certificate is of an earlier version and has no name that Prometheus could check;"
            " `certificate --renew` makes a new one, whose fingerprint each Home Assistant must be told",
        )
    return {
        "certificate": certificate.public(path),
        "server_name": certificate.SERVER_NAME,
        "fingerprint": fingerprint,
        "renewed": options.renew,
    }


def _show_certificate(result: dict[str, Any]) -> str:
    """Show what a client takes as its authority's file, or what people compare."""
    return str(result.get("certificate", result["fingerprint"])).rstrip("\n")


def _certificate_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `certificate` takes."""
    parser.add_argument(
        "--fingerprint",
        action="store_true",
        help="print its fingerprint only, which Home Assistant shows and compares",
    )
    parser.add_argument(
        "--renew",
        action="store_true",
        help="make a new key and certificate first; restart the sensor then, and tell each Home Assistant"
        " the new fingerprint",
    )
    parser.add_argument(
        "--state-dir",
        metavar="DIR",
        help="the sensor's state folder (default: that of the sensor on this socket)",
    )


COMMANDS: Final = {
    "metrics": Command(
        "print what Prometheus would read", _run, lambda told: told["text"].rstrip("\n"), _arguments
    ),
    "certificate": Command(
        "print the certificate of `run --listen`, for clients that take it as a file",
        _certificate,
        _show_certificate,
        _certificate_arguments,
    ),
}
