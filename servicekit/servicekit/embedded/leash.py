"""Runs another program in its own place, on a leash: python leash.py SIGNAL PARENT USER PROGRAM [ARGUMENT ...]

The program gets SIGNAL when the thread that started this process ends, however it ends (Linux). It runs as the user and
group with the number USER, unless that is `-`. It is run as a file, without `servicekit` around it, so that it costs
some ten milliseconds.

It could be ten lines in a `preexec_fn`, were it not that Python then forks: whatever threads of the parent held stays
held in the child, and gRPC (1.81 and later) wakes its own threads there, which find their files closed and abort the
child before it becomes the program (grpc/grpc#43055).
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(death_signal: str, parent: str, user: str, *command: str) -> None:
    # Python itself ignores these, and a program inherits what is ignored.
    for ignored in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(ignored, signal.SIG_DFL)
    if user != "-":
        os.setgroups([])
        os.setgid(int(user))
        os.setuid(int(user))
    # After the user: who changes it is let off the leash.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != int(parent):  # it ended before the call above
            return
    try:
        os.execvp(command[0], command)  # noqa: S606 -- no shell; the caller names the program
    except OSError as error:
        sys.exit(f"{command[0]}: {error.strerror}")


if __name__ == "__main__":
    main(*sys.argv[1:])
