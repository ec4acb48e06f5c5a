"""The tokens that let a client in from another host: named, listed, revoked, and kept as hashes only."""

import contextlib
import fcntl
import hashlib
import hmac
import json
import logging
import os
import re
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, get_args

from .. import files
from ..protocol import SensorError, TokenRole
from ..trust import Trust

_LOGGER = logging.getLogger(__name__)

TOKENS_FILE: Final = "tokens.json"
MAX_TOKENS: Final = 32
#: Longest file that is looked at: all tokens need less.
_MAX_BYTES: Final = 64 * 1024
#: Random bytes in a token. Nobody guesses 256 bits, so one fast hash keeps them as well as a slow one would:
#: what makes a password's hash slow is that passwords can be guessed.
_TOKEN_BYTES: Final = 32
#: Longest token that is looked at.
_MAX_PRESENTED: Final = 128
_NAME: Final = re.compile(r"\w[\w .-]{0,39}")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Token:
    """What is kept of a token."""

    name: str
    sha256: str
    created: float
    role: TokenRole = "operate"


class Tokens:
    """The tokens that are good, followed in their file."""

    def __init__(self, state: Path) -> None:
        """Take the state folder and read what is there."""
        self._path = state / TOKENS_FILE
        self._seen: tuple[int, ...] | None = None
        self._tokens: tuple[Token, ...] = ()
        self.follow()

    @property
    def digests(self) -> frozenset[str]:
        """The hashes of the tokens that are good."""
        return frozenset(each.sha256 for each in self._tokens)

    @property
    def good(self) -> frozenset[Token]:
        """The tokens that are good, each with what it is good for."""
        return frozenset(self._tokens)

    def find(self, presented: str) -> Token | None:
        """Return the token that somebody shows, if it is one; how long that takes tells nothing of the others."""
        self.follow()
        digest = _digest(presented[:_MAX_PRESENTED])
        found = None
        for each in self._tokens:
            if hmac.compare_digest(each.sha256, digest):
                found = each
        return found

    def follow(self) -> bool:
        """Read the file anew if it has changed; return whether it has."""
        seen = _look(self._path)
        if seen == self._seen:
            return False
        self._seen = seen
        try:
            self._tokens = _read(self._path)
        except SensorError as error:
            self._tokens = ()
            _LOGGER.warning("%s: nobody is let in from another host", error)
        return True


def create(state: Path, name: str, role: TokenRole = "operate") -> str:
    """Make a token and return it: it is kept nowhere. Raises SensorError."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    with _changing(state) as tokens:
        _check(tokens, name)
        tokens.append(Token(name, _digest(token), time.time(), role))
    return token


def check(state: Path, name: str) -> None:
    """Raise SensorError if no token of this name could be made now."""
    _check(listed(state), name)


def unused_name(state: Path, wanted: str) -> str:
    """Return a name that no token has: this one, or this one with a number behind it."""
    taken = {each.name for each in listed(state)}
    numbered = (f"{wanted} {number}" for number in range(2, MAX_TOKENS + 2))
    return wanted if wanted not in taken else next(each for each in numbered if each not in taken)


def _check(tokens: Sequence[Token], name: str) -> None:
    """Raise SensorError `invalid_message` for a name that can't be, or is taken, or if there are too many tokens."""
    if not _NAME.fullmatch(name):
        raise SensorError(
            "invalid_message",
            "a token's name has 1 to 40 letters, digits, spaces, dots and dashes: whom it is for",
        )
    if any(each.name == name for each in tokens):
        raise SensorError(
            "invalid_message",
            f"there is a token {name!r} already: revoke it, or choose another name",
        )
    if len(tokens) >= MAX_TOKENS:
        raise SensorError("invalid_message", f"there are {MAX_TOKENS} tokens already: revoke one")


def revoke(state: Path, name: str) -> Token:
    """Take a token back; who is connected by it is cut off within a second. Raises SensorError `not_found`."""
    with _changing(state) as tokens:
        for each in tokens:
            if each.name == name:
                tokens.remove(each)
                return each
        raise SensorError("not_found", f"there is no token {name!r}; token --list shows them")


def listed(state: Path) -> tuple[Token, ...]:
    """Return what is kept of all tokens; raises SensorError `storage_failed`."""
    return _read(state / TOKENS_FILE)


@contextlib.contextmanager
def _changing(state: Path) -> Iterator[list[Token]]:
    """Give the tokens to be changed, and keep what becomes of them; two at once take turns."""
    try:
        folder = os.open(state, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            tokens = list(_read(state / TOKENS_FILE))
            yield tokens
            content = {"tokens": [asdict(each) for each in tokens]}
            files.write(state / TOKENS_FILE, json.dumps(content, indent=1).encode())
            # Else what was revoked could be put back by one that looks like a repair.
            files.previous(state / TOKENS_FILE).unlink(missing_ok=True)
        finally:
            os.close(folder)
    except OSError as error:
        raise SensorError("storage_failed", f"tokens in {state}: {error.strerror}") from error


def _read(path: Path) -> tuple[Token, ...]:
    """Return the file's tokens, none where there is no file; raises SensorError `storage_failed` or `unsafe_files`."""
    try:
        wire = json.loads(_content(path))
        tokens = tuple(
            Token(str(each["name"]), str(each["sha256"]), float(each["created"]), _role(each))
            for each in wire["tokens"]
        )
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, TypeError, LookupError, RecursionError) as error:
        raise SensorError(
            "storage_failed",
            f"{path} can't be read; remove it and make new tokens with `token NAME`",
        ) from error
    return tuple(each for each in tokens if _DIGEST.fullmatch(each.sha256))[:MAX_TOKENS]


def _role(wire: Mapping[str, Any]) -> TokenRole:
    """Return a token's role: those from before there were roles give orders; one that nobody knows lets least."""
    said = wire.get("role", "operate")
    return said if said in get_args(TokenRole) else "metrics"


def _content(path: Path) -> bytes:
    """Return what is in a file that nobody else could have written; raises OSError and SensorError `unsafe_files`."""
    with path.open("rb") as file:
        Trust.own().require(file.fileno(), path)
        return file.read(_MAX_BYTES)


def _look(path: Path) -> tuple[int, ...]:
    """Return what changes whenever the file is written, or its owner and mode are changed."""
    try:
        said = path.stat()
    except OSError:
        return ()
    return (said.st_ino, said.st_mtime_ns, said.st_ctime_ns, said.st_size)


def _digest(token: str) -> str:
    """Return a token's hash."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
