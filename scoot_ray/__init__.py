"""SCOOT-Ray: finds good start-up parameters for LLM inference engines."""

import typing

if typing.TYPE_CHECKING:
    import os

    from scoot_ray.frames import StudyFrames


def load(folder: "str | os.PathLike[str]") -> "StudyFrames":
    """Open a finished or running study as pandas frames: `trials`, `front`, `requests`, `events`.

    Args:
        folder: What `scoot tune` wrote to: a folder, or an `s3://` or `gs://` URI.

    Raises:
        OutputError: If it holds no study.
    """
    # Nothing is imported with the package itself: every trial's process imports it.
    from scoot_ray.frames import load_frames

    return load_frames(str(folder))
