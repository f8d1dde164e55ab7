"""The last step before a service: ties a fresh process to its parent, drops privileges and becomes the service.

Run as a script, never imported: ``python -I -S launcher.py PARENT_PID DEATH_SIGNAL UID GID PROGRAM ARGUMENT…``
(UID -1: stay who we are). It is a program of its own and not a `preexec_fn`, because Python code between fork and exec
can deadlock on a lock that one of the supervisor's reader threads held. It imports nothing of ours, and it is over in
about 20 ms: the service keeps the process id.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def become_service(parent_pid: int, death_signal: int, uid: int, gid: int, argv: list[str]) -> None:
    """Replace this process by `argv`; it gets `death_signal` when the supervisor's spawning thread ends."""
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    # After the uid change, which clears the death signal.
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed: the service would outlive its supervisor")
    if os.getppid() != parent_pid:
        sys.exit("the supervisor died while this service was starting")
    # A shell starts `muzikantas up &` with SIGINT ignored, and an ignored signal stays ignored over exec.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    os.execv(argv[0], argv)  # noqa: S606 - no shell, on purpose: the kernel ends direct children only


if __name__ == "__main__":
    parent, death, user, group = (int(number) for number in sys.argv[1:5])
    try:
        become_service(parent, death, user, group, sys.argv[5:])
    except OSError as error:
        sys.exit(f"{sys.argv[5]} cannot be started as uid {user if user >= 0 else os.getuid()}: {error}")
