"""Off-peak windows as instants, through every change of the clocks."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from scoot_ray.core.schedule import ScheduleSection

# A window that opened two days ago can still be open: it is a day long at most, and a clock that
# is set back makes it longer.
DAYS_BACK = 2
DAYS_AHEAD = 366
# Windows that meet without end are one that need not be followed further.
LONG_ENOUGH = timedelta(days=8)


@dataclass(frozen=True)
class Window:
    """A time in which the cluster may be used: from `opens` until just before `closes`, in UTC."""

    opens: datetime
    closes: datetime

    def is_open(self, now: datetime) -> bool:
        """Tell whether the window is open now."""
        return self.opens <= now < self.closes


@dataclass(frozen=True)
class OffPeak:
    """The windows of a schedule.

    A window opens at the first instant at which the clock on the wall has reached the time that the
    schedule names, and closes by the same rule. So a time that is skipped when the clocks go
    forward means the moment of the change, and of a time that comes twice the first counts.
    """

    schedule: ScheduleSection

    def window(self, now: datetime) -> Window | None:
        """Return the window that is open now, or else the next; None if none opens in a year.

        Windows that meet or overlap are one. Of windows that meet without end, the first week.
        """
        found: Window | None = None
        for window in self._windows_around(now):
            if window.closes <= now:
                continue
            if found is not None and window.opens > found.closes:
                break
            if found is None:
                found = window
            found = Window(found.opens, max(found.closes, window.closes))
            if found.closes - now > LONG_ENOUGH and found.is_open(now):
                break
        return found

    def show(self, instant: datetime) -> str:
        """Return an instant as the clocks of the schedule's time zone show it."""
        return f"{instant.astimezone(self._zone):%a %Y-%m-%d %H:%M} {self.schedule.timezone}"

    def _windows_around(self, now: datetime) -> Iterator[Window]:
        today = now.astimezone(self._zone).date()
        for num_days in range(-DAYS_BACK, DAYS_AHEAD + 1):
            yield from self._windows_on(today + timedelta(days=num_days))

    def _windows_on(self, day: date) -> list[Window]:
        windows = []
        for opens, length in self.schedule.windows_on(day):
            wall = datetime.combine(day, opens)
            window = Window(self._first_instant(wall), self._first_instant(wall + length))
            if window.opens < window.closes:  # or the change of the clocks swallows it
                windows.append(window)
        return sorted(windows, key=lambda window: window.opens)

    def _first_instant(self, wall: datetime) -> datetime:
        """Return the first instant at which the clock has reached `wall`, a time without zone."""
        folds = (wall.replace(tzinfo=self._zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        before, after = sorted(folds)
        if self._wall(before) >= wall:
            return before
        # The clock skips `wall`; the change lies after `before` and not after `after`.
        while after - before > timedelta(seconds=1):
            middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
            if self._wall(middle) >= wall:
                after = middle
            else:
                before = middle
        return after

    def _wall(self, instant: datetime) -> datetime:
        return instant.astimezone(self._zone).replace(tzinfo=None)

    @property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.schedule.timezone)
