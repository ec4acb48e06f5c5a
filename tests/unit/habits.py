"""A device that is learnt for weeks, and detectors that judge it by that."""

from collections.abc import Iterable

from hearthwall_sensor.detectors.detector import Detector
from hearthwall_sensor.detectors.ripening import Ripening
from hearthwall_sensor.learning.profiles import Profiles
from hearthwall_sensor.notice import Notice
from hearthwall_sensor.observations import Began, Flow, Look, Moved, Observation
from hearthwall_sensor.policy.policy import DevicePolicy
from tests.unit.observed import CAMERA, DAY, NOON, home, told

HOUR = 3600.0
#: The midnight from which devices are learnt, a Thursday, UTC.
START = NOON - DAY / 2


class Habits:
    """Profiles, and a detector that asks for them; as in the sensor it judges before anything is learnt."""

    def __init__(self, detector: type[Detector], policy: DevicePolicy | None = None) -> None:
        self.policy = policy or DevicePolicy()
        self.profiles = Profiles((), lambda _: self.policy)
        self.now = START
        asked = home(profile=lambda who: self.profiles.of(who, self.now), policy=self.policy)
        self.detector = detector(asked)
        self.ripening = Ripening()

    def see(self, *observations: Observation) -> list[Notice]:
        """Return what is told of observations, which are learnt."""
        notices = []
        for each in observations:
            self.now = max(self.now, each.time)
            for observation in (each, *self.ripening.take(each)):
                notices += told(self.detector, [observation])
                self.profiles.learn(observation)
        return notices

    def live(
        self,
        days: int,
        flows: Iterable[Flow] = (),
        *,
        hourly: tuple[int, int] = (120_000, 120_000),
        who: str = CAMERA,
    ) -> list[Notice]:
        """Let days pass in which a device opens flows every day and moves so much every hour."""
        notices = []
        flows = tuple(flows)
        begin = self.now
        for number in range(days * 24):
            at = begin + number * HOUR
            if number % 24 == 0:
                for each in flows:
                    notices += self.see(Began(at, who, each))
            notices += self.see(moved(at + 1, *hourly, who=who), Look(at + 1))
        self.now = begin + days * DAY
        return notices


def moved(at: float, upload: int = 0, download: int = 0, who: str = CAMERA) -> Moved:
    return Moved(at, who, 5.0, upload, download, 5, 5, upload, download)
