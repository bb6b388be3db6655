"""What a job brings along: our packages, the study and the local files that it names."""

import importlib.util
import shutil
from pathlib import Path

import yaml

from scoot_ray.core.errors import StudyError
from scoot_ray.core.journal import JOURNAL
from scoot_ray.core.sections import is_folder
from scoot_ray.core.study import Study

PACKAGES = ("scoot_ray", "searchers", "trainables", "cluster", "traces")
STUDY = "study.yaml"
FILES = "files"
EXCLUDES = ("__pycache__", "*.pyc", ".*")
MAX_FILE_BYTES = 200 * 2**20
"""Ray takes a working directory of 512 MiB; every node of the cluster copies it."""


def pack(study: Study, folder: Path) -> None:
    """Fill an empty folder with all that `python -m scoot_ray tune study.yaml` needs there.

    The packages are copied from wherever they are installed, so that a wheel, an editable install
    and a checkout all do. A model's folder is not: it must be on the nodes, by the same path.

    Raises:
        StudyError: If a file that the study names is not here, or is too large.
    """
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        assert spec is not None
        assert spec.submodule_search_locations is not None
        (source,) = spec.submodule_search_locations
        shutil.copytree(source, folder / package, ignore=shutil.ignore_patterns(*EXCLUDES))
    pack_study(study, folder)


def pack_study(study: Study, folder: Path) -> None:
    """Write the study into a folder, with the local files that it names beside it.

    Raises:
        StudyError: If one of them is not here, or is too large.
    """
    (folder / FILES).mkdir()
    workload = study.workload.model_copy(update={"trace": _pack(study.workload.trace, folder)})
    simulator = study.simulator
    files = {"profile": simulator.profile, "calibration": simulator.calibration}
    measured = {key: path and _pack(path, folder) for key, path in files.items()}
    simulator = simulator.model_copy(update=measured)
    earlier = [_pack_earlier(source, folder) for source in study.search.start_from]
    search = study.search.model_copy(update={"start_from": earlier})
    shipped = study.model_copy(
        update={"workload": workload, "simulator": simulator, "search": search}
    )
    text = yaml.safe_dump(shipped.model_dump(mode="json", exclude_none=True), sort_keys=False)
    (folder / STUDY).write_text(text, encoding="utf-8")


def _pack_earlier(source: str, folder: Path) -> str:
    """Copy the journal of an earlier study, and return what names the study in the folder."""
    if not is_folder(source):
        return source
    name = Path(source).name
    journal, target = Path(source) / JOURNAL, folder / FILES / name
    if not journal.is_file():
        raise StudyError(f"search.start_from: {source} holds no {JOURNAL}; a job brings it along.")
    if target.exists():
        raise StudyError(f"search.start_from: two are called {name}; rename one.")
    target.mkdir()
    shutil.copyfile(journal, target / JOURNAL)
    return f"{FILES}/{name}"


def _pack(uri: str, folder: Path) -> str:
    """Copy a file, and return what names it in the folder; URIs stay as they are."""
    if "://" in uri or uri.startswith("synthetic:"):
        return uri
    path, mark, options = uri.partition("?")
    file = Path(path)
    if not file.is_file():
        raise StudyError(f"{path} is not here; a job brings it along, or finds it by a URI.")
    if file.stat().st_size > MAX_FILE_BYTES:
        raise StudyError(
            f"{path} is too large to bring along ({file.stat().st_size / 2**20:.0f} MiB; at most "
            f"{MAX_FILE_BYTES / 2**20:.0f}). Put it in a bucket and name it by s3:// or gs://."
        )
    target = folder / FILES / file.name
    if target.exists():
        raise StudyError(f"Two files that the study names are called {file.name}; rename one.")
    shutil.copyfile(file, target)
    return f"{FILES}/{file.name}{mark}{options}"
