"""A cluster that runs studies, event by event: bundles, a searcher that takes time, lost nodes.

Nothing here runs for real. A trial claims all its GPUs on one node, on the fullest that holds it. A
node that is pre-empted takes its trials with it; they are run again from their beginning, before
others, when GPUs are free, and the node is replaced after a while. Pre-emptions are independent of
each other, which real ones are not.
"""

import heapq
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count

import numpy as np

NODE_GPUS = 8
INITIAL_DESIGN = 11  # suggestions that cost nothing: the default and the first points


@dataclass(frozen=True)
class Conditions:
    """Say what a simulated cluster is like.

    Attributes:
        num_gpus: A multiple of `NODE_GPUS`.
        preemptions_per_h: Of one node.
        replacement_s: Median time until a lost node's successor is up.
        is_elastic: Trials that fit go before larger ones that came earlier, as with an autoscaler;
            otherwise first come, first served.
        head_cpus: Suggestions that can be computed at once.
        suggestion_s: Seconds of a suggestion, by the trials that the study has finished.
        is_ahead: Each study has the next suggestions computed while its trials run.
        stock: Suggestions that a study computes at a time; of those that are ready, the first that
            fits GPUs that are free goes first.
        idle_timeout_s: A node that nothing claims goes after so long, and comes back when a trial
            waits for it; without it all nodes are up from the beginning.
    """

    num_gpus: int
    preemptions_per_h: float
    replacement_s: float
    is_elastic: bool
    head_cpus: int
    suggestion_s: Callable[[int], float]
    is_ahead: bool
    stock: int = 1
    idle_timeout_s: float | None = None


@dataclass(frozen=True)
class Outcome:
    """What came of a simulated run; times in seconds, GPU time in GPU-seconds.

    Attributes:
        makespan_s: From the first suggestion to the last end.
        ideal_s: Useful GPU time shared out over all GPUs without a gap.
        idle_share: Of the GPU time that nodes were up: claimed by no trial.
        lost_share: Of the GPU time that trials claimed: by trials that were pre-empted.
        num_retries: Trials run again.
        mean_wait_s: Of a free slot for its suggestion.
        num_node_starts: Nodes that were waited for, successors of lost ones among them.
        node_hours: Time that nodes were up.
    """

    makespan_s: float
    ideal_s: float
    idle_share: float
    lost_share: float
    num_retries: int
    mean_wait_s: float
    num_node_starts: int
    node_hours: float


@dataclass
class _Trial:
    num_gpus: int
    duration_s: float
    study: "_Study"


@dataclass
class _Run:
    trial: _Trial
    node: "_Node"
    began_s: float


@dataclass
class _Study:
    trials: deque[_Trial] = field(default_factory=deque)
    num_finished: int = 0
    wanting_since_s: deque[float] = field(default_factory=deque)
    ready: list[_Trial] = field(default_factory=list)
    is_computing: bool = False


@dataclass
class _Node:
    free: int = 0
    is_up: bool = False
    is_coming: bool = False
    life: int = 0  # how often it has come up; what was planned for an earlier life is void
    idle_since_s: float = 0.0


def simulate(
    conditions: Conditions,
    studies: Sequence[Sequence[tuple[int, float]]],
    slots: int,
    seed: int,
) -> Outcome:
    """Run all studies from the same moment to their ends.

    Args:
        conditions: The cluster.
        studies: GPUs and seconds of each trial of each study.
        slots: Trials at once of each study.
        seed: Decides pre-emptions and replacements.
    """
    return _Cluster(conditions, seed).run(studies, slots)


class _Cluster:
    def __init__(self, conditions: Conditions, seed: int) -> None:
        self.conditions = conditions
        self.rng = np.random.default_rng(seed)
        self.nodes = [_Node() for _ in range(conditions.num_gpus // NODE_GPUS)]
        self.runs: dict[int, _Run] = {}
        self.queue: deque[_Trial] = deque()
        self.backlog: deque[_Study] = deque()
        self.num_computing = 0
        self.now_s = 0.0
        self.up_gpu_s = self.useful_gpu_s = self.lost_gpu_s = self.waited_s = 0.0
        self.num_retries = self.num_waits = self.num_left = self.num_starts = 0
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()

    def run(self, studies: Sequence[Sequence[tuple[int, float]]], slots: int) -> Outcome:
        if self.conditions.idle_timeout_s is None:
            for node in self.nodes:
                self._come_up(node)
        for trials in studies:
            study = _Study()
            study.trials.extend(_Trial(gpus, seconds, study) for gpus, seconds in trials)
            study.wanting_since_s.extend([0.0] * min(slots, len(study.trials)))
            self.num_left += len(study.trials)
            self._serve(study)
        while self.num_left:
            at_s, _, happen = heapq.heappop(self._events)
            self.up_gpu_s += (
                NODE_GPUS * sum(node.is_up for node in self.nodes) * (at_s - self.now_s)
            )
            self.now_s = at_s
            happen()
        claimed = self.useful_gpu_s + self.lost_gpu_s
        return Outcome(
            makespan_s=self.now_s,
            ideal_s=self.useful_gpu_s / self.conditions.num_gpus,
            idle_share=1 - claimed / self.up_gpu_s,
            lost_share=self.lost_gpu_s / claimed,
            num_retries=self.num_retries,
            mean_wait_s=self.waited_s / self.num_waits,
            num_node_starts=self.num_starts,
            node_hours=self.up_gpu_s / NODE_GPUS / 3600,
        )

    def _after(self, seconds: float, happen: Callable[[], None]) -> None:
        heapq.heappush(self._events, (self.now_s + seconds, next(self._numbers), happen))

    # The searcher of each study: one suggestion after the other.

    def _serve(self, study: _Study) -> None:
        """Hand out what is ready, and begin to compute what is wanted."""
        while study.ready and study.wanting_since_s:
            self.waited_s += self.now_s - study.wanting_since_s.popleft()
            self.num_waits += 1
            fitting = [trial for trial in study.ready if self._fullest_node_for(trial.num_gpus)]
            trial = (fitting or study.ready)[0]
            study.ready.remove(trial)
            self.queue.append(trial)
            self._start_trials()
        wanted = bool(study.wanting_since_s) or self.conditions.is_ahead
        if study.ready or study.is_computing or not study.trials or not wanted:
            return
        study.is_computing = True
        if self.num_computing < self.conditions.head_cpus:
            self._compute(study)
        else:
            self.backlog.append(study)

    def _compute(self, study: _Study) -> None:
        self.num_computing += 1
        num_finished = study.num_finished
        seconds = self.conditions.stock * self.conditions.suggestion_s(num_finished)
        self._after(seconds if num_finished >= INITIAL_DESIGN else 0.0, lambda: self._ready(study))

    def _ready(self, study: _Study) -> None:
        self.num_computing -= 1
        study.is_computing = False
        num_ready = min(self.conditions.stock, len(study.trials))
        study.ready += [study.trials.popleft() for _ in range(num_ready)]
        if self.backlog:
            self._compute(self.backlog.popleft())
        self._serve(study)

    # Bundles.

    def _start_trials(self) -> None:
        waiting: deque[_Trial] = deque()
        too_large = NODE_GPUS + 1
        while self.queue and (self.conditions.is_elastic or not waiting):
            trial = self.queue.popleft()
            fits = trial.num_gpus < too_large
            node = self._fullest_node_for(trial.num_gpus) if fits else None
            if node is None:
                waiting.append(trial)
                too_large = min(too_large, trial.num_gpus)
            else:
                self._start(trial, node)
        self.queue.extendleft(reversed(waiting))
        if self.conditions.idle_timeout_s is not None:
            self._bring_nodes()

    def _fullest_node_for(self, num_gpus: int) -> _Node | None:
        fitting = [node for node in self.nodes if node.is_up and node.free >= num_gpus]
        return min(fitting, key=lambda node: node.free, default=None)

    def _start(self, trial: _Trial, node: _Node) -> None:
        node.free -= trial.num_gpus
        number = next(self._numbers)
        self.runs[number] = _Run(trial, node, self.now_s)
        self._after(trial.duration_s, lambda: self._end(number))

    def _end(self, number: int) -> None:
        run = self.runs.pop(number, None)
        if run is None:
            return  # its node was lost
        run.node.free += run.trial.num_gpus
        self.useful_gpu_s += run.trial.num_gpus * run.trial.duration_s
        self.num_left -= 1
        study = run.trial.study
        study.num_finished += 1
        if len(study.trials) + len(study.ready) > len(study.wanting_since_s):
            study.wanting_since_s.append(self.now_s)
            self._serve(study)
        self._start_trials()
        self._await_idleness(run.node)

    # Nodes.

    def _come_up(self, node: _Node) -> None:
        node.is_up, node.is_coming, node.free = True, False, NODE_GPUS
        node.life += 1
        life = node.life
        if self.conditions.preemptions_per_h:
            mean_s = 3600 / self.conditions.preemptions_per_h
            self._after(self.rng.exponential(mean_s), lambda: self._preempt(node, life))
        self._start_trials()
        self._await_idleness(node)

    def _preempt(self, node: _Node, life: int) -> None:
        if not node.is_up or node.life != life:
            return  # it has gone by itself
        for number in [n for n, run in self.runs.items() if run.node is node]:
            run = self.runs.pop(number)
            self.lost_gpu_s += run.trial.num_gpus * (self.now_s - run.began_s)
            self.num_retries += 1
            self.queue.appendleft(run.trial)
        node.is_up, node.free = False, 0
        if self.conditions.idle_timeout_s is None:
            self._start_node(node)
        self._start_trials()

    def _start_node(self, node: _Node) -> None:
        self.num_starts += 1
        node.is_coming = True
        median_s = self.conditions.replacement_s
        self._after(median_s * self.rng.lognormal(0, 0.5), lambda: self._come_up(node))

    def _bring_nodes(self) -> None:
        """Start the nodes that waiting trials need beyond those that are coming."""
        room = [NODE_GPUS for node in self.nodes if node.is_coming]
        for trial in self.queue:
            place = next((n for n, free in enumerate(room) if free >= trial.num_gpus), None)
            if place is None:
                node = next((n for n in self.nodes if not n.is_up and not n.is_coming), None)
                if node is None:
                    return
                self._start_node(node)
                room.append(NODE_GPUS)
                place = -1
            room[place] -= trial.num_gpus

    def _await_idleness(self, node: _Node) -> None:
        if self.conditions.idle_timeout_s is None or node.free < NODE_GPUS:
            return
        since_s = node.idle_since_s = self.now_s
        self._after(self.conditions.idle_timeout_s, lambda: self._retire(node, since_s))

    def _retire(self, node: _Node, since_s: float) -> None:
        if node.is_up and node.free == NODE_GPUS and node.idle_since_s == since_s:
            node.is_up, node.free = False, 0
