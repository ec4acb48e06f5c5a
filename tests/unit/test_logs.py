"""What devices, files and people wrote reaches no terminal raw: neither by the log nor by what is refused."""

import io
import logging
from collections.abc import Iterator

import pytest

from hearthwall_sensor import cli, logs

#: Sets a terminal's title, turns what follows, and begins a line of its own.
HOSTILE = "zz\x1b]0;o\x07\u202eevil\nWARNING forged"


@pytest.fixture
def logged() -> Iterator[tuple[logging.Logger, io.StringIO]]:
    logger, stream = logging.getLogger("of a test"), io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.Formatter("%(levelname)s %(message)s"))
    logger.addHandler(handler)
    yield logger, stream
    logger.removeHandler(handler)


def test_a_line_of_the_log_is_one_line_and_clean(
    logged: tuple[logging.Logger, io.StringIO],
) -> None:
    logger, stream = logged
    logger.warning("%s can't be read", HOSTILE)
    assert stream.getvalue() == "WARNING zz?]0;o??evil?WARNING forged can't be read\n"


def test_a_traceback_is_clean(logged: tuple[logging.Logger, io.StringIO]) -> None:
    logger, stream = logged
    try:
        int(HOSTILE)
    except ValueError:
        logger.exception("It failed")
    assert "ValueError: invalid literal" in stream.getvalue()
    assert "Traceback" in stream.getvalue().splitlines()[1]
    assert not set("\x1b\x07\u202e") & set(stream.getvalue())


def test_what_is_refused_is_said_clean(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["flows", "--socket", "/nowhere", HOSTILE]) == 1
    error = capsys.readouterr().err
    assert "?" in error
    assert not set("\x1b\x07\u202e") & set(error)
