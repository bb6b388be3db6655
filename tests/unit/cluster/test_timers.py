"""Timers that wake a study, each read by what will read it."""

import configparser
import shutil
import subprocess
from typing import Any

import kubernetes_validate
import pytest
import yaml

from cluster.timers import TIMERS, Start
from scoot_ray.core.schedule import ScheduleSection

BOTH = {
    "windows": [
        {"window": "22:30-06:00", "weekdays": ["sun", "mon", "fri"]},
        {"window": "00:00-24:00", "weekdays": ["sat"]},
    ],
    "timezone": "Asia/Shanghai",
    "exceptions": {"2026-12-25": "08:00-20:00", "2026-12-31": "closed"},
}


def start(**schedule: Any) -> Start:
    command = ["/opt/scoot", "submit", "/studies/bot 7%.yaml", "--once"]
    return Start("Bot_7b", ScheduleSection.model_validate(schedule or BOTH), command)


def test_cron_fires_at_every_opening() -> None:
    lines = TIMERS["cron"](start()).splitlines()
    assert lines == [
        "# By hand, because these open on one date only: 2026-12-25 08:00-20:00.",
        "CRON_TZ=Asia/Shanghai",
        r"30 22 * * 1,5,0 /opt/scoot submit '/studies/bot 7\%.yaml' --once",
        r"0 0 * * 6 /opt/scoot submit '/studies/bot 7\%.yaml' --once",
    ]
    assert TIMERS["cron"](start(window="22:00-06:00")).splitlines()[1].startswith("0 22 * * * ")


def test_systemd_fires_at_every_opening_and_exception() -> None:
    text = TIMERS["systemd"](start())
    assert 'ExecStart="/opt/scoot" "submit" "/studies/bot 7%%.yaml" "--once"' in text
    calendar = [line.partition("=")[2] for line in text.splitlines() if "OnCalendar" in line]
    assert calendar == [
        "Mon,Fri,Sun *-*-* 22:30:00 Asia/Shanghai",
        "Sat *-*-* 00:00:00 Asia/Shanghai",
        "2026-12-25 08:00:00 Asia/Shanghai",
    ]
    for part in text.split("\n# ~"):
        configparser.ConfigParser(strict=False, interpolation=None).read_string(f"#{part}")
    program = shutil.which("systemd-analyze")
    if program is None:
        print("systemd-analyze is not here: the calendar is not read by systemd itself")
        return
    subprocess.run([program, "calendar", *calendar], check=True, capture_output=True)


def test_kubernetes_unsuspends_and_suspends() -> None:
    documents = list(yaml.safe_load_all(TIMERS["kubernetes"](start())))
    for document in documents:
        kubernetes_validate.validate(document, "1.34", strict=True)
    jobs = [document for document in documents if document["kind"] == "CronJob"]
    found = []
    for job in jobs:
        pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        found.append((job["spec"]["schedule"], container["args"][-1]))
        assert job["spec"]["timeZone"] == "Asia/Shanghai"
        assert container["args"][:3] == ["patch", "rayjob", "scoot-bot-7b"]
        assert pod["serviceAccountName"] == "scoot-bot-7b-timer"
    opens, closes = '--patch={"spec":{"suspend":false}}', '--patch={"spec":{"suspend":true}}'
    assert found == [
        ("30 22 * * 1,5,0", opens),
        ("0 6 * * 1,2,6", closes),
        ("0 0 * * 6", opens),
        ("0 0 * * 0", closes),
    ]
    (role,) = [document for document in documents if document["kind"] == "Role"]
    assert role["rules"][0]["resourceNames"] == ["scoot-bot-7b"]


@pytest.mark.parametrize("kind", sorted(TIMERS))
def test_every_kind_is_rendered(kind: str) -> None:
    assert "$" not in TIMERS[kind](start(window="22:00-06:00")).replace("$$", "")
