"""What is told of a profile to who asks for it."""

from ..habits import MAX_HABITS, Band as ToldBand, Habit, ProfileReport
from ..policy.policy import DevicePolicy
from .bands import Expected
from .facet import Facet
from .profile import Profile


def report(profile: Profile, now: float, policy: DevicePolicy) -> ProfileReport:
    """Return what is told of a profile."""
    hour, elapsed = profile.hour(now), now - profile.since
    up = profile.upload.expect(hour, policy.factor, elapsed)
    down = profile.download.expect(hour, policy.factor, elapsed)
    facets = profile.facets
    return ProfileReport(
        mac=profile.who,
        since=profile.since,
        learning_until=profile.since + policy.learning,
        sure=profile.sure(now, policy.learning),
        frozen=profile.frozen,
        domains=_habits(facets["domain"]),
        countries=_habits(facets["country"]),
        networks=_habits(facets["network"]),
        ports=_habits(facets["service"]),
        applications=_habits(facets["application"]),
        upload_this_hour=_hour(up),
        download_this_hour=_hour(down),
        upload_a_day=_day(up),
        download_a_day=_day(down),
    )


def _habits(facet: Facet) -> tuple[Habit, ...]:
    """Return what was seen most."""
    most = sorted(facet, key=lambda each: -each[1].flows)[:MAX_HABITS]
    return tuple(Habit(value, seen.flows, seen.last * 60.0) for value, seen in most)


def _hour(expected: Expected) -> ToldBand | None:
    """Return the band of an hour, None while no hour was learnt."""
    if not expected.hours:
        return None
    return ToldBand(round(expected.usual), round(expected.top), expected.hours)


def _day(expected: Expected) -> ToldBand | None:
    """Return the band of a day, None while no week was learnt."""
    if expected.day_top is None:
        return None
    return ToldBand(round(expected.day_usual), round(expected.day_top), expected.hours // 24)
