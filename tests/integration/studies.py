"""Small studies, and `scoot` as a process of its own."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

STUDY: dict[str, Any] = {
    "name": "small",
    "engine": {
        "kind": "simulated",
        "model": "meta-llama/Llama-2-7b-hf",
        "fixed": {"max_model_len": 4096},
    },
    "service": {"num_gpus": 4, "accelerator": "A100-80GB"},
    "workload": {"trace": "synthetic:bot", "request_rate_rps": 8, "duration_s": 10},
    "objective": "interactive",
    "space": "vllm-v1",
    "search": {"observations": 6, "parallelism": 4, "seed": 1, "algorithm": "random"},
    "confirm": {"repeats": 2, "finalists": 1},
    "drift": {"repeats": 1},
}


def write_study(folder: Path, **sections: Any) -> Path:
    """Write the small study with some sections replaced or extended."""
    study = {**STUDY}
    for name, section in sections.items():
        base = study.get(name)
        both = isinstance(base, dict) and isinstance(section, dict)
        study[name] = {**base, **section} if both else section  # type: ignore[dict-item]
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(study))
    return path


def command(*arguments: object) -> list[str]:
    """Return the command line of `scoot` with `arguments`."""
    return [sys.executable, "-m", "scoot_ray", *map(str, arguments)]


def scoot(*arguments: object, timeout_s: float = 200) -> subprocess.CompletedProcess[str]:
    """Run `scoot` to its end."""
    return subprocess.run(
        command(*arguments), capture_output=True, text=True, timeout=timeout_s, check=False
    )
