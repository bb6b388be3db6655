"""Losses are told apart by what Ray 2.60 wrote when trials were killed in each way."""

import pytest

from cluster.loss import diagnose_loss
from scoot_ray.core.attempts import NODE_LOST

HEAD = """Failure # 1 (occurred at 2026-11-21_09-45-28)
The actor died unexpectedly before finishing this task.
\tclass_name: with_resources.<locals>.ResourceTrainable
\tactor_id: 5d28759ea03d2a6cb5be07ce01000000
\tpid: 16934
\tip: 192.0.2.2
"""
OF_NODE = HEAD + "The actor died because its node has died. Node Id: 860451ed53cfbbaae9381d\n\t"
OF_WORKER = HEAD + "The actor is dead because its worker process has died. Worker exit type: "
RAISED = """Failure # 1 (occurred at 2026-11-21_09-43-13)
ray::TrialActor.train() (pid=15213, ip=192.0.2.2, repr=trial 0: tp=1)
  File "trainables/ray_trainable.py", line 13, in step
RuntimeError: port taken
"""


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (OF_NODE + "the actor's node was terminated expectedly: received SIGTERM", NODE_LOST),
        (OF_NODE + "the actor's node was terminated unexpectedly: health check failed", NODE_LOST),
        (OF_NODE + "the actor's node was preempted: spot", NODE_LOST),
        (
            OF_NODE + "the actor's node was terminated expectedly: received SIGTERM\n"
            "The actor never ran - it was cancelled before it started running.",
            NODE_LOST,
        ),
        ("The actor 5d28 is unavailable: The actor is temporarily unavailable: RPC", NODE_LOST),
        (
            OF_WORKER + "SYSTEM_ERROR Worker exit detail: The process receives a SIGTERM.",
            "actor_died",
        ),
        (
            OF_WORKER + "SYSTEM_ERROR Worker exit detail: Worker unexpectedly exits with a "
            "connection error code 2. Some common causes include: (1) the process was killed by "
            "the OOM killer due to high memory usage, (2) ray stop --force was called",
            "actor_died",
        ),
        (RAISED, "trial_error"),
        ("", "trial_error"),
    ],
)
def test_causes(text: str, cause: str) -> None:
    assert diagnose_loss(text).cause == cause


def test_only_the_last_failure_counts() -> None:
    assert diagnose_loss(RAISED + OF_NODE).cause == NODE_LOST
    assert diagnose_loss(OF_NODE + "\n" + RAISED).cause == "trial_error"


def test_the_message_ends_with_rays_own_words() -> None:
    assert diagnose_loss(RAISED).message.endswith("Ray: RuntimeError: port taken")
    assert "RuntimeError: port taken" in diagnose_loss(RAISED).log_tail
