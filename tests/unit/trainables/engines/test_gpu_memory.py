"""Waiting for GPU memory; no GPU here, so NVML's own functions are stood in for."""

from types import SimpleNamespace

import pytest

from scoot_ray.core.errors import InfrastructureError
from trainables.engines import gpu_memory
from trainables.engines.gpu_memory import GIB, GpuMemory, used_bytes, watched_devices


class FakeNvml:
    """NVML with two GPUs; `used` holds the readings of each, the last of which stays."""

    class NVMLError(Exception):
        """As pynvml's."""

    def __init__(self, **used: list[float]) -> None:
        self.used = used
        self.num_open = 0

    def nvmlInit(self) -> None:  # noqa: N802
        if not self.used:
            raise self.NVMLError("NVML Shared Library Not Found")
        self.num_open += 1

    def nvmlShutdown(self) -> None:  # noqa: N802
        self.num_open -= 1

    def nvmlDeviceGetHandleByIndex(self, index: int) -> str:  # noqa: N802
        if index >= len(self.used):
            raise self.NVMLError("Invalid Argument")
        return list(self.used)[index]

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> str:  # noqa: N802
        return uuid.removeprefix("GPU-")

    def nvmlDeviceGetMemoryInfo(self, handle: str) -> SimpleNamespace:  # noqa: N802
        readings = self.used[handle]
        value = readings.pop(0) if len(readings) > 1 else readings[0]
        return SimpleNamespace(used=int(value * GIB))


def use(monkeypatch: pytest.MonkeyPatch, nvml: FakeNvml) -> FakeNvml:
    monkeypatch.setattr(gpu_memory, "pynvml", nvml)
    return nvml


@pytest.mark.parametrize(
    ("visible", "expected"),
    [
        ("1", {"1": 2}),
        ("0,1", {"0": 1, "1": 2}),
        ("GPU-b", {"GPU-b": 2}),
        ("", {}),
        ("0,7", {"0": 1}),  # a GPU that only Ray counts
    ],
)
def test_only_the_trials_gpus_are_read(
    monkeypatch: pytest.MonkeyPatch, visible: str, expected: dict[str, int]
) -> None:
    nvml = use(monkeypatch, FakeNvml(a=[1], b=[2]))
    assert used_bytes(visible) == {gpu: size * GIB for gpu, size in expected.items()}
    assert nvml.num_open == 0


@pytest.mark.parametrize(
    ("environment", "expected"),
    [({}, "0,1"), ({"CUDA_VISIBLE_DEVICES": "3"}, "3"), ({"CUDA_VISIBLE_DEVICES": ""}, "")],
)
def test_where_no_devices_are_named_the_first_are_the_engines(
    environment: dict[str, str], expected: str
) -> None:
    assert watched_devices(environment, 2) == expected


async def test_without_a_driver_there_is_nothing_to_wait_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use(monkeypatch, FakeNvml())
    await GpuMemory("0").wait_until_given_back(0)


async def test_memory_that_comes_back_late_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    nvml = use(monkeypatch, FakeNvml(a=[0.5, 70, 70, 0.6]))
    await GpuMemory("0").wait_until_given_back()
    assert nvml.used["a"] == [0.6]


async def test_memory_that_stays_is_told_by_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, FakeNvml(a=[0.5], b=[0.5, 3.5]))
    with pytest.raises(InfrastructureError, match=r"3\.0 GiB on GPU 1"):
        await GpuMemory("0,1").wait_until_given_back(0)
