"""GPU memory, as the driver counts it: what an engine took must be back when it has ended.

The next engine on that GPU would else start with less, and die of a configuration that is good.
"""

import asyncio
from collections.abc import Iterator, Mapping

import pynvml

from scoot_ray.core.errors import InfrastructureError

GIB = 2**30
# The driver frees memory a moment after the process has ended, and keeps a little of it.
LIMIT_S = 10.0
POLL_S = 0.1
KEPT_BYTES = GIB // 4


class GpuMemory:
    """Remember what was in use on a trial's GPUs before its engine started.

    Args:
        visible_devices: As in CUDA_VISIBLE_DEVICES.
    """

    def __init__(self, visible_devices: str) -> None:
        self._visible_devices = visible_devices
        self._before_bytes = used_bytes(visible_devices)

    async def wait_until_given_back(self, limit_s: float = LIMIT_S) -> None:
        """Return once no more is in use than before; at once where there is no NVIDIA driver.

        Raises:
            InfrastructureError: If that takes longer than `limit_s` seconds.
        """
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + limit_s
        while kept := self._kept_bytes():
            if loop.time() > deadline_s:
                gpus = ", ".join(f"{size / GIB:.1f} GiB on GPU {gpu}" for gpu, size in kept.items())
                raise InfrastructureError(
                    f"The engine has ended, but its memory is still in use: {gpus}. Look for what "
                    "holds it with `nvidia-smi`, and end that before the next trial."
                )
            await asyncio.sleep(POLL_S)

    def _kept_bytes(self) -> Mapping[str, int]:
        if not self._before_bytes:
            return {}
        more = {
            gpu: size - self._before_bytes.get(gpu, 0)
            for gpu, size in used_bytes(self._visible_devices).items()
        }
        return {gpu: size for gpu, size in more.items() if size > KEPT_BYTES}


def watched_devices(environment: Mapping[str, str], num_gpus: int) -> str:
    """Return the devices of an engine; where none are named, it takes the first of the machine.

    What others do on the rest is none of its concern.
    """
    first = ",".join(str(number) for number in range(num_gpus))
    return environment.get("CUDA_VISIBLE_DEVICES", first)


def used_bytes(visible_devices: str) -> dict[str, int]:
    """Return the memory in use by GPU; empty where there is no NVIDIA driver."""
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return {}
    try:
        return dict(_read(visible_devices))
    finally:
        pynvml.nvmlShutdown()


def _read(visible_devices: str) -> Iterator[tuple[str, int]]:
    for name in filter(None, map(str.strip, visible_devices.split(","))):
        try:
            handle = (
                pynvml.nvmlDeviceGetHandleByIndex(int(name))
                if name.isdecimal()
                else pynvml.nvmlDeviceGetHandleByUUID(name)
            )
            yield name, int(pynvml.nvmlDeviceGetMemoryInfo(handle).used)
        except pynvml.NVMLError:
            continue  # a GPU that only Ray counts
