"""The replicas of one service, and the router in front of them."""

from collections.abc import Iterable, Iterator
from collections.abc import Sequence as Sequences
from dataclasses import dataclass

from scoot_ray.core.request import Request
from trainables.simulator.engine import Engine
from trainables.simulator.sequence import Sequence
from trainables.simulator.timeline import Timeline


@dataclass(frozen=True)
class Fleet:
    """Serve requests on one or more engines; each request goes to the one with the least to do.

    Attributes:
        engines: At least one.
    """

    engines: Sequences[Engine]

    def serve(self, requests: Iterable[Request]) -> Iterator[Sequence]:
        """Serve requests whose time counts from 0, and yield each when it ends.

        Requests are taken one by one and forgotten when they have been yielded: memory does not
        grow with their number.

        Args:
            requests: Sorted by arrival.

        Raises:
            EngineDeathError: If an engine dies.
        """
        for engine in self.engines:
            engine.restart_clock()
        for request in requests:
            for engine in self.engines:
                yield from engine.advance(request.arrival_s + engine.front_end_s)
            self._least_busy(request.arrival_s).submit(request)
        for engine in self.engines:
            yield from engine.advance()

    def watch(self) -> list[Timeline]:
        """Note every step from now on; return where, one timeline per engine."""
        timelines = [Timeline() for _ in self.engines]
        for engine, timeline in zip(self.engines, timelines, strict=True):
            engine.timeline = timeline
        return timelines

    def _least_busy(self, now_s: float) -> Engine:
        """Return the engine with the fewest requests in flight; the first of equals."""
        return min(self.engines, key=lambda engine: engine.num_in_flight(now_s))

    def in_flight(self) -> Iterator[tuple[Sequence, int]]:
        """Yield the sequences that wait or run, with the tokens that each has generated."""
        for engine in self.engines:
            yield from engine.scheduler.unfinished()

    @property
    def settled_s(self) -> float:
        """When the last step of the engine that is furthest behind ended.

        Whatever happens next to a sequence in flight happens later.
        """
        busy = [engine for engine in self.engines if engine.scheduler.num_unfinished]
        return min((engine.now_s for engine in busy), default=self.now_s)

    @property
    def now_s(self) -> float:
        """When the last step of any engine ended."""
        return max(engine.now_s for engine in self.engines)

    @property
    def num_steps(self) -> int:
        """Count the steps of all engines so far."""
        return sum(engine.num_steps for engine in self.engines)

    @property
    def num_preemptions(self) -> int:
        """Count the preemptions of all engines so far."""
        return sum(engine.scheduler.num_preemptions for engine in self.engines)
