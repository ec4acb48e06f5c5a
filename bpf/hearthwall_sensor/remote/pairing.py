"""Pairing by a code: what both sides say and prove to each other, and of which certificate. Used by both halves.

Neither side tells the other the code, or anything by which it could be found before it has ended:

    sensor:  {"type": "opening", "nonce": …}
    client:  {"type": "proof", "nonce": …, "fingerprint": …, "proof": …}
    sensor:  {"type": "paired", "proof": …, "token": …, "role": …, "name": …, "id": …}
    client:  {"type": "taken"}

or from the sensor, at any time, `{"type": "error", "code": …, "message": …}`.

A proof is an HMAC under a key that scrypt makes of the code, of both nonces and of the fingerprint of the
certificate that the client was shown. Who stands between both has another certificate: no proof that passes
through it holds at the other end, and to find the code in one it has the seconds that the code is good for.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal, TypeVar

from ..errors import ERRORS, SensorError
from ..protocol import PairedRole
from ..wire import Message

#: Crockford's digits: no letter that is taken for a digit, or that spells much.
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MISREAD: Final = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})
#: 32 ** 10 codes: 50 bits.
_LETTERS: Final = 10
#: Longest text in which a code is looked for.
_LONGEST: Final = 40

#: How often a code may be tried wrongly.
MAX_TRIES: Final = 5
#: Longest message of either side.
MAX_MESSAGE: Final = 2048

#: Of nonces as of fingerprints.
_DIGEST_BYTES: Final = 32
_DIGITS: Final = re.compile(rf"[0-9A-Fa-f]{{{2 * _DIGEST_BYTES}}}")
_CONTEXT: Final = b"hearthwall pairing 1"
#: 16 MB and some 50 ms for each guess: a billion processors would take 16 hours for all codes, which hold for minutes.
_SCRYPT: Final[dict[str, int]] = {"n": 2**14, "r": 8, "p": 1, "maxmem": 64 * 1024 * 1024}

Side = Literal["client", "sensor"]

#: What becomes of a code: somebody tried a wrong one, or it has ended.
Happening = Literal[
    "wrong_code", "code_burnt", "interfered", "lost", "expired", "replaced", "paired"
]


# Between the sensor and whoever shows the code


@dataclass(frozen=True, slots=True)
class OfferedCode(Message):
    """A code that waits until a time, for one client, whose token will have a name and a role."""

    code: str
    role: PairedRole
    name: str
    expires: float


@dataclass(frozen=True, slots=True)
class PairingNews(Message):
    """What happened to a code, by whom, and how many wrong tries it bears still: none, when it has ended."""

    what: Happening
    address: str | None = None
    left: int = 0


# Between the sensor and the client that is to be let in


class _Said(Message):
    """A message that says of which kind it is."""

    type: ClassVar[str]


_SaidT = TypeVar("_SaidT", bound=_Said)


@dataclass(frozen=True, slots=True)
class Opening(_Said):
    """The sensor's first word: a code is waiting."""

    type: ClassVar[str] = "opening"
    nonce: str


@dataclass(frozen=True, slots=True)
class Proof(_Said):
    """The client knows the code, and was shown a certificate with this fingerprint."""

    type: ClassVar[str] = "proof"
    nonce: str
    fingerprint: str
    proof: str


@dataclass(frozen=True, slots=True)
class Paired(_Said):
    """The sensor knows the code, too: its certificate is the one that the client was shown. This is the token."""

    type: ClassVar[str] = "paired"
    proof: str
    token: str
    role: PairedRole
    name: str
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Taken(_Said):
    """The client has the token."""

    type: ClassVar[str] = "taken"


def new_code() -> str:
    """Return a code that nobody can foresee."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_LETTERS))


def shown(code: str) -> str:
    """Return a code as people read it."""
    return f"{code[: _LETTERS // 2]}-{code[_LETTERS // 2 :]}"


def typed(text: str) -> str:
    """Return the code that somebody typed, however it was written; raises SensorError `wrong_code`."""
    code = text[:_LONGEST].upper().translate(_MISREAD)
    if len(code) != _LETTERS or set(code) - set(_ALPHABET):
        raise SensorError("wrong_code", "a code has ten letters and digits, such as 7KQ2M-X9RTB")
    return code


def new_nonce() -> str:
    """Return what makes each conversation's proofs its own."""
    return secrets.token_hex(_DIGEST_BYTES)


def key(code: str, fingerprint: str, client_nonce: str, sensor_nonce: str) -> bytes:
    """Return the key of a conversation, which takes time and memory to make; raises SensorError `invalid_message`."""
    salt = b"".join(map(_bytes, (fingerprint, client_nonce, sensor_nonce)))
    return hashlib.scrypt(code.encode(), salt=_CONTEXT + salt, dklen=_DIGEST_BYTES, **_SCRYPT)


def check(said: Proof) -> None:
    """Raise SensorError `invalid_message` for what can be nobody's proof."""
    for each in (said.fingerprint, said.nonce):
        _bytes(each)


def _bytes(digits: str) -> bytes:
    """Return a nonce or a fingerprint of which these are the digits; raises SensorError `invalid_message`."""
    if not _DIGITS.fullmatch(digits):
        raise SensorError("invalid_message", "nonces and fingerprints are 64 hexadecimal digits")
    return bytes.fromhex(digits)


def proof(key: bytes, side: Side) -> str:
    """Return what a side proves its knowledge of the code with; one side's proof is none of the other's."""
    return hmac.new(key, side.encode(), hashlib.sha256).hexdigest()


def is_proof(key: bytes, side: Side, presented: str) -> bool:
    """Return whether somebody knows the code; how long that takes tells nothing."""
    return presented.isascii() and hmac.compare_digest(proof(key, side), presented)


def said(message: _Said) -> dict[str, Any]:
    """Return a message as it crosses the wire."""
    return {"type": message.type, **message.to_wire()}


def heard(kind: type[_SaidT], wire: Any) -> _SaidT:
    """Read the message that must come next; raises the SensorError that came instead, or `invalid_message`.

    What a stranger adds to an error's code is nobody's to read.
    """
    if isinstance(wire, dict) and wire.get("type") == "error":
        code = wire.get("code")
        if isinstance(code, str):
            raise SensorError(code if code in ERRORS else "internal")
        wire = None
    if not isinstance(wire, dict) or wire.get("type") != kind.type:
        raise SensorError("invalid_message", "what answers does not speak as a sensor does")
    return kind.from_wire(wire)
