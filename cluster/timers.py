"""What starts a study again when its next window opens: cron, systemd or Kubernetes.

A timer only wakes the study. Whether its window is open, exceptions and changes of the clocks
included, the study asks its own schedule; so a timer that fires on a closed date does no harm.
"""

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from string import Template

from scoot_ray.core.schedule import CLOSED, WEEKDAYS, ScheduleSection, WindowSection, parse_window

KUBECTL = "registry.k8s.io/kubectl:v1.34.0"
_NOON = datetime(2026, 6, 1, 12)  # noqa: DTZ001  # any Monday; only its clock and weekday are used


@dataclass(frozen=True)
class Moment:
    """A time of day on some days of the week, 0 for Monday."""

    hour: int
    minute: int
    weekdays: tuple[int, ...]

    @property
    def cron(self) -> str:
        """The moment as cron's five fields."""
        every = len(self.weekdays) == len(WEEKDAYS)
        days = ",".join(str((day + 1) % 7) for day in self.weekdays)
        return f"{self.minute} {self.hour} * * {'*' if every else days}"

    @property
    def systemd(self) -> str:
        """The moment as a systemd calendar expression, without a time zone."""
        days = ",".join(WEEKDAYS[day].capitalize() for day in self.weekdays)
        return f"{days} *-*-* {self.hour:02}:{self.minute:02}:00"


@dataclass(frozen=True)
class Start:
    """What is to be started, and when.

    Attributes:
        study: The study's name.
        schedule: Its windows.
        command: What starts it for one window.
    """

    study: str
    schedule: ScheduleSection
    command: Sequence[str]

    @property
    def name(self) -> str:
        """A name that Kubernetes and systemd take."""
        return resource_name(self.study)


def resource_name(study: str) -> str:
    """Return a study's name as Kubernetes and systemd take it."""
    letters = "".join(c if c.isascii() and c.isalnum() else "-" for c in study.lower())
    return f"scoot-{letters[:30].strip('-')}"


def render_cron(start: Start) -> str:
    """Return a crontab; a cron that knows no CRON_TZ needs the times in its own zone."""
    lines = [f"CRON_TZ={start.schedule.timezone}"]
    command = shlex.join(start.command).replace("%", r"\%")
    lines += [f"{opening(window).cron} {command}" for window in start.schedule.every_window]
    return "\n".join([*_not_in_timer(start.schedule), *lines, ""])


def render_systemd(start: Start) -> str:
    """Return a user's service and timer, one after the other."""
    zone = start.schedule.timezone
    moments = [f"OnCalendar={opening(w).systemd} {zone}" for w in start.schedule.every_window]
    moments += [
        f"OnCalendar={day} {parse_window(text)[0]:%H:%M:%S} {zone}"
        for day, text in start.schedule.exceptions.items()
        if text != CLOSED
    ]
    fields = {
        "name": start.name,
        "study": start.study,
        "command": " ".join(_systemd_quoted(word) for word in start.command),
        "calendar": "\n".join(moments),
    }
    return "\n".join(_template(f"systemd.{part}", fields) for part in ("service", "timer"))


def render_kubernetes(start: Start) -> str:
    """Return CronJobs that unsuspend the RayJob `scoot-STUDY` at each opening and suspend it after.

    Suspending deletes the RayJob's cluster. KubeRay starts a RayJob again only if it was suspended
    before it ended, so its entrypoint is `scoot tune --begin-or-resume --wait`, which stops its
    trials in time and then waits to be suspended.
    """
    base = {"rayjob": start.name, "image": KUBECTL, "timezone": start.schedule.timezone}
    documents = [_template("kubernetes_access.yaml", base | {"name": start.name})]
    for number, window in enumerate(start.schedule.every_window):
        moments = (("open", "false", opening(window)), ("close", "true", closing(window)))
        for verb, suspend, moment in moments:
            fields = {"name": f"{start.name}-{verb}-{number}", "account": f"{start.name}-timer"}
            fields |= {"when": moment.cron, "suspend": suspend}
            documents.append(_template("kubernetes_cronjob.yaml", base | fields))
    return "\n".join([*_not_in_timer(start.schedule), "---\n".join(documents)])


TIMERS: Mapping[str, Callable[[Start], str]] = {
    "cron": render_cron,
    "systemd": render_systemd,
    "kubernetes": render_kubernetes,
}


def opening(window: WindowSection) -> Moment:
    """Return when a weekly window opens."""
    opens, _ = parse_window(window.window)
    return Moment(opens.hour, opens.minute, tuple(sorted(map(WEEKDAYS.index, window.weekdays))))


def closing(window: WindowSection) -> Moment:
    """Return when a weekly window closes, which may be on the next day of the week."""
    opens, length = parse_window(window.window)
    closes = datetime.combine(_NOON, opens) + length
    num_days = (closes.date() - _NOON.date()).days
    weekdays = sorted((WEEKDAYS.index(day) + num_days) % 7 for day in window.weekdays)
    return Moment(closes.hour, closes.minute, tuple(weekdays))


def _not_in_timer(schedule: ScheduleSection) -> list[str]:
    """Name the exceptions that a weekly timer cannot say."""
    others = [f"{day} {text}" for day, text in schedule.exceptions.items() if text != CLOSED]
    if not others:
        return []
    return [f"# By hand, because these open on one date only: {', '.join(others)}."]


def _systemd_quoted(word: str) -> str:
    # systemd has no shell: it splits at blanks, and expands % and $ itself.
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"'


def _template(name: str, fields: Mapping[str, str]) -> str:
    text = files("cluster").joinpath("configs", "timers", name).read_text(encoding="utf-8")
    return Template(text).substitute(fields)
