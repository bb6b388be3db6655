"""Off-peak windows against a clock that is watched minute by minute."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import example, given
from hypothesis import strategies as st

from cluster.offpeak import OffPeak, Window
from scoot_ray.core.schedule import WEEKDAYS, ScheduleSection

MINUTE = timedelta(minutes=1)
# By an hour at night, at midnight, by half an hour, never, by 45 minutes off the hour, by a day.
ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Asia/Beirut",
    "Australia/Lord_Howe",
    "Asia/Shanghai",
    "Pacific/Chatham",
    "Pacific/Apia",
    "UTC",
)
clock_times = st.times().map(lambda t: f"{t:%H:%M}")
windows = st.tuples(clock_times, clock_times | st.just("24:00")).map("-".join)
weekdays = st.lists(st.sampled_from(WEEKDAYS), min_size=1, max_size=7, unique=True)
# The days around the changes of 2026 and 2027, and around the day that Samoa left out.
days = st.sampled_from(
    [
        date(2026, 3, 8),
        date(2026, 3, 29),
        date(2026, 4, 5),
        date(2026, 9, 27),
        date(2026, 10, 4),
        date(2026, 10, 25),
        date(2026, 11, 1),
        date(2011, 12, 30),
        date(2026, 7, 1),
    ]
)


@st.composite
def schedules(draw: st.DrawFn) -> ScheduleSection:
    day = draw(days)
    near = st.integers(-2, 3).map(lambda n: day + timedelta(days=n))
    return ScheduleSection.model_validate(
        {
            "windows": [
                {"window": draw(windows), "weekdays": draw(weekdays)}
                for _ in range(draw(st.integers(1, 2)))
            ],
            "timezone": draw(st.sampled_from(ZONES)),
            "exceptions": draw(st.dictionaries(near, windows | st.just("closed"), max_size=2)),
        }
    )


def first_minute(wall: datetime, zone: ZoneInfo) -> datetime:
    """Watch the clock until it has reached `wall`."""
    instant = wall.replace(tzinfo=UTC) - timedelta(hours=40)
    while instant.astimezone(zone).replace(tzinfo=None) < wall:
        instant += MINUTE
    return instant


def watched(schedule: ScheduleSection, start: date, num_days: int) -> list[Window]:
    """List windows by watching the clock, overlapping ones as they are."""
    zone = ZoneInfo(schedule.timezone)
    found = []
    for number in range(num_days):
        day = start + timedelta(days=number)
        for opens, length in schedule.windows_on(day):
            wall = datetime.combine(day, opens)
            found.append(Window(first_minute(wall, zone), first_minute(wall + length, zone)))
    return found


def is_open(windows: Sequence[Window], now: datetime) -> bool:
    return any(window.is_open(now) for window in windows)


@given(schedule=schedules(), day=days, minutes=st.lists(st.integers(0, 1439), min_size=4))
@example(  # open at the time that comes twice
    schedule=ScheduleSection(window="01:30-02:30", timezone="Europe/Berlin"),
    day=date(2026, 10, 25),
    minutes=[29, 30, 59, 90],
)
@example(  # all of it skipped
    schedule=ScheduleSection(window="02:15-02:45", timezone="Europe/Berlin"),
    day=date(2026, 3, 29),
    minutes=[59, 60, 61, 120],
)
def test_a_window_is_open_exactly_when_the_watched_clock_says_so(
    schedule: ScheduleSection, day: date, minutes: list[int]
) -> None:
    offpeak = OffPeak(schedule)
    all_windows = watched(schedule, day - timedelta(days=4), 9)
    for minute in minutes:
        now = datetime.combine(day, time(), tzinfo=UTC) + minute * MINUTE
        window = offpeak.window(now)
        assert (window is not None and window.is_open(now)) == is_open(all_windows, now)
        if window is None or window.closes > now + timedelta(days=2):
            continue
        # It is open throughout, and nothing is open between now and its opening.
        last = window.closes - MINUTE
        assert is_open(all_windows, last)
        assert not is_open(all_windows, window.closes)
        if window.opens > now:
            assert is_open(all_windows, window.opens)
            assert not is_open(all_windows, window.opens - MINUTE)


@given(schedule=schedules(), day=days, minute=st.integers(0, 1439))
def test_windows_follow_each_other_and_never_meet(
    schedule: ScheduleSection, day: date, minute: int
) -> None:
    offpeak = OffPeak(schedule)
    now = datetime.combine(day, time(), tzinfo=UTC) + minute * MINUTE
    for _ in range(4):
        window = offpeak.window(now)
        if window is None or window.closes - window.opens > timedelta(days=7):
            return
        assert window.opens < window.closes
        assert now < window.closes
        following = offpeak.window(window.closes)
        assert following is None or following.opens > window.closes
        now = window.closes
