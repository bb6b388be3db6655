"""Off-peak windows on days that a person can check by hand."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cluster.offpeak import OffPeak


def offpeak(**schedule: Any) -> OffPeak:
    from scoot_ray.core.schedule import ScheduleSection

    return OffPeak(ScheduleSection.model_validate(schedule))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_tonight_in_shanghai() -> None:
    nights = offpeak(window="22:00-06:00", timezone="Asia/Shanghai")
    for now in ("2026-11-21 09:00", "2026-11-21 14:00", "2026-11-21 21:59"):
        window = nights.window(at(now))
        assert window is not None
        assert (window.opens, window.closes) == (at("2026-11-21 14:00"), at("2026-11-21 22:00"))
        assert window.is_open(at(now)) == (now >= "2026-11-21 14:00")
    assert nights.show(at("2026-11-21 14:00")) == "Sat 2026-11-21 22:00 Asia/Shanghai"


def test_the_longest_and_the_shortest_night_of_berlin() -> None:
    nights = offpeak(window="22:00-06:00", timezone="Europe/Berlin")
    lengths_h = []
    for now in ("2026-03-28 20:30", "2026-10-24 19:30", "2026-07-01 19:00"):
        window = nights.window(at(now))
        assert window is not None
        lengths_h.append((window.closes - window.opens) / timedelta(hours=1))
    assert lengths_h == [7, 9, 8]


def test_a_weekend_is_one_window() -> None:
    both = offpeak(
        windows=[
            {"window": "22:00-06:00", "weekdays": ["mon", "tue", "wed", "thu", "fri"]},
            {"window": "00:00-24:00", "weekdays": ["sat", "sun"]},
        ]
    )
    window = both.window(at("2026-11-20 23:00"))  # a Friday
    assert window is not None
    assert (window.opens, window.closes) == (at("2026-11-20 22:00"), at("2026-11-23 00:00"))


def test_exceptions_belong_to_the_date_on_which_a_window_opens() -> None:
    nights = offpeak(
        window="22:00-06:00",
        exceptions={"2026-12-24": "closed", "2026-12-25": "08:00-20:00"},
    )
    before = nights.window(at("2026-12-24 01:00"))
    assert before is not None
    assert before.closes == at("2026-12-24 06:00")
    holiday = nights.window(at("2026-12-24 22:00"))
    assert holiday is not None
    assert (holiday.opens, holiday.closes) == (at("2026-12-25 08:00"), at("2026-12-25 20:00"))


def test_always_open_closes_in_a_week_or_later() -> None:
    window = offpeak(window="00:00-24:00").window(at("2026-11-20 23:00"))
    assert window is not None
    assert window.closes - at("2026-11-20 23:00") > timedelta(days=7)


@pytest.mark.parametrize(
    ("schedule", "says"),
    [
        ({"window": "22-6"}, '"HH:MM-HH:MM"'),
        ({"window": "22:00-24:30"}, '"HH:MM-HH:MM"'),
        ({}, "either `window"),
        ({"window": "22:00-06:00", "windows": [{"window": "01:00-02:00"}]}, "either `window"),
        ({"windows": [{"window": "01:00-02:00"}], "weekdays": ["mon"]}, "into each of them"),
        ({"window": "22:00-06:00", "weekdays": []}, "weekdays is empty"),
        ({"window": "22:00-06:00", "timezone": "Europe/Berlim"}, "Did you mean Europe/Berlin?"),
        ({"window": "22:00-06:00", "exceptions": {"2026-12-24": "shut"}}, "HH:MM-HH:MM"),
    ],
)
def test_a_schedule_that_says_nothing_clear_is_refused(schedule: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        offpeak(**schedule)
