"""Compiled kernels and graphs, kept on the node from one trial to the next.

Parameters that do not change the compiled code are most of a search space, so most starts find what
an earlier one compiled. All these caches are keyed by what they hold and made to be shared: Triton,
Inductor and vLLM's ahead-of-time functions are written aside and renamed. vLLM's short index of
Inductor's artefacts is not; should a start ever read it half written, it dies of no known cause,
and what has no known cause is started again.
"""

from collections.abc import Mapping
from pathlib import Path

CACHES = {
    "CUDA_CACHE_PATH": "cuda",
    "DG_JIT_CACHE_DIR": "deep_gemm",
    "FLASHINFER_WORKSPACE_BASE": "flashinfer",
    "TORCHINDUCTOR_CACHE_DIR": "inductor",
    "TRITON_CACHE_DIR": "triton",
    "VLLM_CACHE_ROOT": "vllm",
}


def cache_environment(study_name: str, inherited: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that name the caches of a study on this node, one folder each.

    They are below `$XDG_CACHE_HOME/scoot-ray` (`~/.cache` where that is not set): the folder is the
    user's own, since what lies in it is run. Variables that are set already stay as they are.
    """
    base = Path(inherited.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    folder = base / "scoot-ray" / study_name
    return {
        variable: str(folder / name)
        for variable, name in CACHES.items()
        if variable not in inherited
    }
