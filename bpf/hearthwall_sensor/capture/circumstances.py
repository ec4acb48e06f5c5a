"""What a capture does not tell: files that somebody gives with it. One that can't be read is an error, no guess."""

from dataclasses import dataclass

from ..feeds.lists import Lists
from ..network.home import Network
from ..network.places import Places
from ..policy.file import PolicyFile
from ..protocol import SensorError


@dataclass(frozen=True, slots=True)
class Circumstances:
    """The home's prefixes, its policy, lists of known-bad peers, and where peers are."""

    lan: tuple[Network, ...] = ()
    policy: str | None = None
    feeds: tuple[str, ...] = ()
    geo: tuple[str, ...] = ()

    def read_policy(self) -> PolicyFile | None:
        """Return the policy, None without one; raises SensorError, which says where the file is wrong."""
        if self.policy is None:
            return None
        policy = PolicyFile(self.policy, decides=False)
        if policy.problem is not None:
            named = self.policy in policy.problem
            raise SensorError(
                "invalid_policy", policy.problem if named else f"{self.policy}: {policy.problem}"
            )
        if not policy.exists:
            raise SensorError("not_found", f"there is no file {self.policy}")
        return policy

    def read_lists(self) -> Lists:
        """Return the lists; raises SensorError, which names the file."""
        return Lists(self.feeds)

    def read_places(self) -> Places:
        """Return where peers are; raises SensorError, which names the file."""
        problems: list[str] = []
        places = Places(self.geo, problems.append)
        if problems:
            raise SensorError("invalid_message", problems[0])
        return places
