"""What a simulated load looks like to the rule that ends hopeless tests early."""

from collections.abc import Iterator

from scoot_ray.core.partial_load import InFlight
from scoot_ray.core.request import Request, RequestRecord
from traces.workload import Load
from trainables.early_stop import EarlyStop
from trainables.simulator.fleet import Fleet


class LoadWatch:
    """Keep an early stop up to date with a fleet that serves a load."""

    def __init__(self, early_stop: EarlyStop, fleet: Fleet, load: Load) -> None:
        self._early_stop = early_stop
        self._fleet = fleet
        self._index = {id(request): index for index, request in enumerate(load.requests)}

    def is_over(self, request: Request, record: RequestRecord) -> bool:
        """Take in a request that ended, and tell whether the test can end with it."""
        partial = self._early_stop.partial
        partial.end(self._index[id(request)], record)
        if not self._early_stop.is_due(self._fleet.now_s):
            return False
        partial.observe(self._fleet.settled_s, self._in_flight())
        return self._early_stop.check()

    def _in_flight(self) -> Iterator[InFlight]:
        for sequence, num_tokens in self._fleet.in_flight():
            times_s = sequence.token_times_s
            yield InFlight(
                index=self._index[id(sequence.request)],
                sent_s=sequence.request.arrival_s,
                first_token_s=times_s[0] if times_s else None,
                num_tokens=num_tokens,
            )
