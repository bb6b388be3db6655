"""A search space as a box in which the known constraints hold everywhere.

No published tool takes a constraint that is a Python predicate, so all get the same help: one
parameter, the pivot, whose coordinate spans only its valid values given all the others. For vLLM's
constraints that is `max_num_batched_tokens`, above `max_num_seqs` and, without chunked prefill,
above the longest request. Where the others leave the pivot no value, the one parameter is changed
that opens one. Wide ranges of integers are laid out by magnitude.

symbol   meaning                                                shape
point    in the terms of `benchmarks.peers.problem`: a real      [d]
         number in [0, 1], or the index of a value
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import islice
from typing import Any

from scoot_ray.core.errors import SpaceError
from scoot_ray.core.space import (
    BooleanParameter,
    ChoiceParameter,
    Config,
    IntegerParameter,
    Parameter,
    SearchSpace,
)
from searchers.initial_design import sobol_stream
from searchers.log_space import log_space

GRID = 256  # values of the pivot that are tried, both ends among them
NUM_SAMPLES = 64  # configurations from which the pivot is chosen
MAX_ORDINAL = 32


class ValidBox:
    """Translate between configurations and points of a box without known constraints."""

    def __init__(self, space: SearchSpace) -> None:
        self._space = log_space(space)

    @cached_property
    def pivot(self) -> int | None:
        """The parameter that most often makes an invalid configuration valid; None if none is."""
        space = self._space
        sample = islice(sobol_stream(space.dim, 0), NUM_SAMPLES)
        invalid = [c for c in map(space.decode, sample) if not space.is_valid(c)]
        if not invalid:
            return None
        mended = [sum(bool(self._cells(c, i)) for c in invalid) for i in range(space.dim)]
        return max(range(space.dim), key=lambda i: (mended[i], space.parameters[i].num_values))

    @property
    def dimensions(self) -> list[dict[str, Any]]:
        """Describe the axes, as `benchmarks.peers.problem.Dimension` has them."""
        return [
            {"kind": "real", "num_values": 0} if i == self.pivot else _dimension(parameter)
            for i, parameter in enumerate(self._space.parameters)
        ]

    def decode(self, point: Sequence[float]) -> dict[str, Any]:
        """Map a point to a valid configuration.

        Raises:
            SpaceError: If no change of one parameter leaves the pivot a value.
        """
        config = self._space.decode(self._units(point))
        if self.pivot is None:
            return config
        for candidate in self._near(config):
            cells = self._cells(candidate, self.pivot)
            if cells:
                return self._at(candidate, cells, point[self.pivot])
        raise SpaceError(f"No single change makes {config} valid; a peer needs another encoding.")

    def encode(self, config: Config) -> list[float]:
        """Map a configuration to the point from which it comes."""
        units = [float(unit) for unit in self._space.encode(config)]
        rows = zip(self.dimensions, self._space.parameters, units, strict=True)
        point = [
            unit
            if axis["kind"] == "real"
            else float(min(int(unit * parameter.num_values), axis["num_values"] - 1))
            for axis, parameter, unit in rows
        ]
        if self.pivot is not None:
            position = units[self.pivot] * (GRID - 1) + 0.5
            cells = self._cells(config, self.pivot)
            rank = sum(cell < int(position) for cell in cells)
            within = position - int(position) if int(position) in cells else 0.0
            point[self.pivot] = min((rank + within) / max(len(cells), 1), 1.0)
        return point

    def from_unit_cube(self, units: Sequence[float]) -> list[float]:
        """Map a point of the unit cube to a point of the box, uniformly."""
        return [
            float(unit) if axis["kind"] == "real" else float(int(unit * axis["num_values"]))
            for axis, unit in zip(self.dimensions, units, strict=True)
        ]

    def _units(self, point: Sequence[float]) -> list[float]:
        return [
            u if axis["kind"] == "real" else (u + 0.5) / axis["num_values"]
            for axis, u in zip(self.dimensions, point, strict=True)
        ]

    def _cells(self, config: Config, index: int) -> list[int]:
        """List which of a grid of a parameter's values are valid, given the other parameters."""
        parameter = self._space.parameters[index]
        grid = [(cell, parameter.decode(cell / (GRID - 1))) for cell in range(GRID)]
        name = parameter.name
        return [c for c, value in grid if self._space.is_valid({**config, name: value})]

    def _at(self, config: dict[str, Any], cells: Sequence[int], unit: float) -> dict[str, Any]:
        """Set the pivot to the value at `unit` of its valid cells."""
        assert self.pivot is not None
        parameter = self._space.parameters[self.pivot]
        position = min(unit, 1.0 - 1e-9) * len(cells)
        cell, within = cells[int(position)], position - int(position)
        exact = min(max((cell + within - 0.5) / (GRID - 1), 0.0), 1.0)
        near = {**config, parameter.name: parameter.decode(exact)}
        if self._space.is_valid(near):
            return near
        # The bound runs beside this value of the grid, which is valid itself.
        return {**config, parameter.name: parameter.decode(cell / (GRID - 1))}

    def _near(self, config: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield a configuration, then those that differ in one parameter of few values."""
        yield config
        for parameter in self._space.parameters:
            if parameter.num_values <= MAX_ORDINAL:
                for index in range(int(parameter.num_values)):
                    value = parameter.decode((index + 0.5) / parameter.num_values)
                    yield {**config, parameter.name: value}


def _dimension(parameter: Parameter) -> dict[str, Any]:
    if isinstance(parameter, (BooleanParameter, ChoiceParameter)):
        return {"kind": "choice", "num_values": int(parameter.num_values)}
    if isinstance(parameter, IntegerParameter) and parameter.num_values <= MAX_ORDINAL:
        return {"kind": "ordinal", "num_values": int(parameter.num_values)}
    return {"kind": "real", "num_values": 0}
