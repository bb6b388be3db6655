"""The constants of the step-cost model: the program's own, or those fitted to a real engine."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import yaml

from scoot_ray.core.errors import StudyError, did_you_mean
from trainables.simulator.host_overhead import HostOverhead
from trainables.simulator.step_cost import Efficiency
from trainables.simulator.version import EngineVersion


@dataclass(frozen=True)
class Calibration:
    """Hold what calibration found; whatever it left alone keeps its value.

    Attributes:
        efficiency: What kernels reach of the published peaks.
        host: CPU costs that differ from those of the engine's version, by field name.
    """

    efficiency: Efficiency = field(default_factory=Efficiency)
    host: Mapping[str, float] = field(default_factory=dict)

    def host_of(self, version: EngineVersion) -> HostOverhead:
        """Return the CPU costs of an engine version."""
        values: dict[str, Any] = dict(self.host)
        return replace(version.host, **values)

    def write(self, path: Path, about: Mapping[str, Any]) -> None:
        """Write the constants, with what they were fitted to."""
        content = {
            "about": dict(about),
            "efficiency": asdict(self.efficiency),
            "host": dict(self.host),
        }
        path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def load_calibration(path: str | Path) -> Calibration:
    """Read the constants that `Calibration.write` wrote.

    Raises:
        StudyError: Naming the file and what is wrong with it.
    """
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise StudyError(f"simulator.calibration: cannot read {path}: {error.strerror}.") from None
    except (UnicodeDecodeError, yaml.YAMLError):
        raise StudyError(f"simulator.calibration: {path} is not YAML.") from None
    if not isinstance(content, dict):
        raise StudyError(f"{path}: expected what `scoot calibrate` writes, got {content!r:.60}.")
    efficiency = _numbers(path, content, "efficiency", [f.name for f in fields(Efficiency)])
    host = _numbers(
        path, content, "host", [f.name for f in fields(HostOverhead) if f.type is float]
    )
    return Calibration(Efficiency(**efficiency), host)


def _numbers(
    path: str | Path, content: Mapping[str, Any], key: str, names: list[str]
) -> dict[str, float]:
    section = content.get(key, {})
    if not isinstance(section, dict):
        raise StudyError(f"{path}: {key}: expected a mapping, got {section!r}.")
    for name, value in section.items():
        if name not in names:
            hint = did_you_mean(str(name), names)
            raise StudyError(f"{path}: {key}.{name} is not known.{hint}")
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e9:
            raise StudyError(f"{path}: {key}.{name}: expected a number >= 0, got {value!r}.")
    return {name: float(value) for name, value in section.items()}
