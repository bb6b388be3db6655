"""The `schedule:` of a study file: when the cluster may be used."""

import re
import zoneinfo
from datetime import date, time, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, model_validator

from scoot_ray.core.errors import did_you_mean

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CLOSED = "closed"
STRICT = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True)
"""Sections of a study file are frozen, and a misspelt key is an error.

What stands under a field is its description in the reference.
"""

_WINDOW = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|24:00)")


def parse_window(text: str) -> tuple[time, timedelta]:
    """Read "22:00-06:00" as the time of day it opens and how long it lasts on the clock.

    An end that is not later than the beginning is the next day's, so "22:00-22:00" is a whole day.

    Raises:
        ValueError: If it is not of that form.
    """
    match = _WINDOW.fullmatch(text)
    if match is None:
        raise ValueError(f'{text!r} is not a window; write "HH:MM-HH:MM", such as "22:00-06:00"')
    opens = time(int(match[1]), int(match[2]))
    closes_min = 24 * 60 if match[3] is None else 60 * int(match[3]) + int(match[4])
    length_min = (closes_min - (60 * opens.hour + opens.minute)) % (24 * 60)
    return opens, timedelta(minutes=length_min or 24 * 60)


def _window(text: str) -> str:
    parse_window(text)
    return text


def _window_or_closed(text: str) -> str:
    return text if text == CLOSED else _window(text)


def _time_zone(name: str) -> str:
    # available_timezones() first: ZoneInfo reads any file of that name.
    known = zoneinfo.available_timezones()
    if name not in known:
        raise ValueError(
            f"{name!r} is not a time zone; write one such as Europe/Berlin, America/New_York or "
            f"UTC.{did_you_mean(name, known)}"
        )
    return name


WindowText = Annotated[str, AfterValidator(_window)]
Weekdays = tuple[Weekday, ...]


class WindowSection(BaseModel):
    """A window and the days of the week on which it opens."""

    model_config = STRICT

    window: WindowText
    """Such as "22:00-06:00"."""
    weekdays: Weekdays = WEEKDAYS
    """Days on which it opens."""

    @model_validator(mode="after")
    def _some_day(self) -> "WindowSection":
        if not self.weekdays:
            raise ValueError(f"weekdays is empty; write some of {', '.join(WEEKDAYS)}")
        return self


class ScheduleSection(BaseModel):
    """The off-peak windows in which the cluster may be used."""

    model_config = STRICT

    window: WindowText | None = None
    """The only window; `windows` where there are several."""
    weekdays: Weekdays | None = None
    """Days on which `window` opens; every day by default."""
    windows: tuple[WindowSection, ...] = ()
    """Several windows, each with its weekdays; where they meet they are one."""
    timezone: Annotated[str, AfterValidator(_time_zone)] = "UTC"
    """The time zone of all clock times here."""
    exceptions: dict[date, Annotated[str, AfterValidator(_window_or_closed)]] = {}
    """Dates with another window than their weekday's, or "closed"; a window belongs to the date
    on which it opens.
    """

    @model_validator(mode="after")
    def _one_way_to_say_it(self) -> "ScheduleSection":
        if (self.window is None) == (not self.windows):
            raise ValueError('write either `window: "22:00-06:00"` or a list of `windows:`')
        if self.weekdays is not None and self.windows:
            raise ValueError("with `windows:`, write the weekdays into each of them")
        if self.weekdays == ():
            raise ValueError(f"weekdays is empty; write some of {', '.join(WEEKDAYS)}")
        return self

    def windows_on(self, day: date) -> list[tuple[time, timedelta]]:
        """List what opens on a date: time of day, and length on the clock."""
        if day in self.exceptions:
            text = self.exceptions[day]
            return [] if text == CLOSED else [parse_window(text)]
        weekday = WEEKDAYS[day.weekday()]
        return [parse_window(w.window) for w in self.every_window if weekday in w.weekdays]

    @property
    def every_window(self) -> tuple[WindowSection, ...]:
        """The weekly windows, however they were written."""
        if self.window is None:
            return self.windows
        return (WindowSection(window=self.window, weekdays=self.weekdays or WEEKDAYS),)
