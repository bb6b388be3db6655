"""The GPUs of this machine, as their driver describes them."""

import pynvml

from scoot_ray.core.errors import ClusterError


def describe_gpus() -> list[dict[str, str | int]]:
    """Return name and memory of every GPU, and the driver's version.

    Raises:
        ClusterError: If there is no GPU, saying so.
    """
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        raise ClusterError(
            f"No NVIDIA GPU was found ({error}); this benchmark needs one."
        ) from None
    try:
        handles = [pynvml.nvmlDeviceGetHandleByIndex(i) for i in range(pynvml.nvmlDeviceGetCount())]
        return [
            {
                "name": pynvml.nvmlDeviceGetName(handle),
                "memory_bytes": int(pynvml.nvmlDeviceGetMemoryInfo(handle).total),
                "driver": pynvml.nvmlSystemGetDriverVersion(),
            }
            for handle in handles
        ]
    finally:
        pynvml.nvmlShutdown()
