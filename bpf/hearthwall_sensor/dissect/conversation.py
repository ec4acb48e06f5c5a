"""The first bytes of one flow: what is spoken, and with whom."""

from typing import NamedTuple

from ..protocol import NameSource


class Finding(NamedTuple):
    """What the first bytes of a flow have said so far; every field at its default where they said nothing."""

    application: str | None = None
    """A label of applications.py; `unknown` where the bytes are nothing that is known, None where none came yet."""
    name: str | None = None
    """The peer's name as the client asked for it: lower case, no dot at the end, escaped as those of DNS."""
    source: NameSource | None = None
    """Where the name is from: http, tls or quic."""
    encrypted_hello: bool = False
    """Whether TLS's Encrypted ClientHello was offered. Browsers offer a dummy to everyone, which looks the same."""
    friendly_name: str | None = None
    """What the sender of the data just taken calls itself, in a UPnP description: said once."""
    more: bool = False
    """Whether later data may say more."""
    malformed: str | None = None
    """The kind of message that the data just taken turned out to be a bad one of: said once."""


class Conversation:
    """The first bytes of one TCP or UDP flow, and what they say; memory and time are bounded."""

    def __init__(self, protocol: int, port: int, peer_port: int) -> None:
        """Begin with nothing known of a flow between these ports."""
        self._protocol = protocol
        self._ports = (port, peer_port)
        self._finding = Finding(more=True)

    def take(self, direction: int, offset: int, data: bytes, wire_length: int) -> Finding:  # noqa: ARG002
        """Learn from a payload, which may be cut off, and return the best that is known so far; never raises.

        Of TCP, offset is where the data stands in its direction's stream of bytes.
        """
        return self._finding
