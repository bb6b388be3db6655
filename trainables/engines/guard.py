"""The guard: a process that starts an engine and outlives it, so that the engine outlives nobody.

    python -I -S guard.py CHANNEL_FD GRACE_S COMMAND [ARGUMENT ...]

An engine puts its workers into sessions of their own, where no process-group signal finds them,
and they survive when the trial that started them is killed. So the trial starts this instead. It
leaves the trial's process tree (whoever kills the trial's children does not find it), adopts every
orphan below it (PR_SET_CHILD_SUBREAPER), and holds one end of a socket whose other end the trial
holds. When the trial dies, however that happens, the kernel closes the trial's end, and the guard
kills everything below itself.

Over the socket, the trial says `stop` (terminate, then kill after GRACE_S), or says nothing and is
gone. The guard says `exited STATUS` when the engine's main process has ended, `sweeping` when it
kills what is left, and `gone` when no process is. A second guard above the first does the sweep,
also if the first is killed itself.

This file is run by path with the standard library only: nothing that a trial's environment puts
on the import path can change or slow it.
"""

import contextlib
import ctypes
import os
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
NOT_STARTED = 127
# As `nice`: 10 loses nine of ten contested time slices to the load client.
ENGINE_NICENESS = 10
SWEEP_LIMIT_S = 30.0


def main() -> None:
    """Detach from the trial, guard the engine, and see to it that nothing is left."""
    channel = socket.socket(fileno=int(sys.argv[1]))
    grace_s, command = float(sys.argv[2]), sys.argv[3:]
    if os.fork() != 0:
        os._exit(0)
    os.setsid()
    # Only `stop` and the end of the trial end a guard. Handlers, unlike SIG_IGN, are not inherited.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    adopt_orphans()
    inner = os.fork()
    if inner == 0:
        adopt_orphans()
        guard(channel, command, grace_s)
    else:
        os.waitpid(inner, 0)
    say(channel, "sweeping")
    if kill_descendants():
        say(channel, "gone")
    os._exit(0)


def guard(channel: socket.socket, command: list[str], grace_s: float) -> None:
    """Start the engine and return when it has ended or has to be killed."""
    try:
        engine = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    except OSError as error:
        sys.stderr.write(f"Cannot start {command[0]}: {error.strerror}\n")
        sys.stderr.flush()
        say(channel, f"exited {NOT_STARTED}")
        return
    give_way(engine.pid)
    if ends_by_itself(engine, channel, grace_s):
        say(channel, f"exited {engine.wait()}")


def give_way(pid: int) -> None:
    """Give the engine a lower CPU priority: where cores are few, the load client goes first.

    vLLM's workers spin while they wait. Beside them on two cores, the client sent half of its
    requests 200 ms late, and at most 1.5 ms late once it went first, at 10 as at 19; at 19 the
    engine starves beside anything else that runs. The client needs about 1 % of a core. Linux
    ranks sessions against each other by their autogroup, processes only within one.
    """
    # The engine may have ended already; autogroups may be switched off.
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid, ENGINE_NICENESS)
        Path(f"/proc/{pid}/autogroup").write_text(str(ENGINE_NICENESS))


def ends_by_itself(
    engine: "subprocess.Popen[bytes]", channel: socket.socket, grace_s: float
) -> bool:
    """Wait for the engine's end; false when the trial has gone or the grace has passed."""
    ended = os.pidfd_open(engine.pid)
    timeout_s = None
    while True:
        ready, _, _ = select.select([ended, channel.fileno()], [], [], timeout_s)
        if ended in ready:
            return True
        if channel.fileno() not in ready or not heard_stop(channel):
            return False
        engine.terminate()
        timeout_s = grace_s


def heard_stop(channel: socket.socket) -> bool:
    """Read from the trial; false when it has gone."""
    try:
        return channel.recv(64) != b""
    except OSError:
        return False


def say(channel: socket.socket, message: str) -> None:
    """Tell the trial, if it is still there."""
    with contextlib.suppress(OSError):
        channel.sendall(f"{message}\n".encode())


def kill_descendants() -> bool:
    """Kill until nothing is left below this process; false if something resists."""
    deadline_s = time.monotonic() + SWEEP_LIMIT_S
    while left := descendants(os.getpid()):
        if time.monotonic() > deadline_s:
            return False
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        bury()
        time.sleep(0.01)
    return True


def bury() -> None:
    """Collect the exit status of every dead child."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def descendants(ancestor: int) -> list[int]:
    """List the processes below `ancestor`, zombies included."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        # A process may end between the listing and the reading.
        with contextlib.suppress(ValueError, OSError):
            pid = int(entry.name)
            # The command name, in parentheses, may hold anything; the fields after it may not.
            _, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            children.setdefault(int(parent), []).append(pid)
    found = [ancestor]
    for pid in found:
        found.extend(children.get(pid, ()))
    return found[1:]


def adopt_orphans() -> None:
    """Become the parent of every orphan below this process."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER) failed; Linux is needed")


if __name__ == "__main__":
    main()
