"""Processes that work on one item at a time, for work that may crash, hang or eat memory: it costs that item alone.

Each process reads a line of JSON (the item), answers with one (the result), and ends when its input ends. It limits
itself: an alarm (`SIGALRM`) for an item that takes too long, `RLIMIT_DATA` for memory.
"""

import contextlib
import json
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Lost:
    """What is known of an item whose process did not answer."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class Program:
    """What the processes are."""

    argv: Sequence[str]
    env: Mapping[str, str]  #: its whole environment


def work(program: Program, items: Sequence[Any], *, size: int) -> Iterator[Any]:
    """Give the result of each item in their order, or `Lost`; `size` processes are at work at the same time."""
    crew = [_Member(program) for _ in range(min(size, len(items)))]
    idle: SimpleQueue[_Member] = SimpleQueue()
    for member in crew:
        idle.put(member)

    def one(item: Any) -> Any:  # noqa: ANN401 (whatever the program reads and answers)
        member = idle.get()
        try:
            return member.ask(item)
        finally:
            idle.put(member)

    threads = ThreadPoolExecutor(max(1, len(crew)), thread_name_prefix="crew")
    try:
        yield from threads.map(one, items)
    finally:
        # Whoever stops early ends the processes: threads that wait for an answer meet the end of a pipe.
        threads.shutdown(wait=False, cancel_futures=True)
        for member in crew:
            member.end()
        threads.shutdown()


class _Member:
    """One process, started at its first item and again after a loss."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, item: Any) -> Any:  # noqa: ANN401 (whatever the program reads and answers)
        """Hand over one item and wait for its result."""
        process = self._process = self._process or self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        answer = b""
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(json.dumps(item).encode() + b"\n")
            process.stdin.flush()
            answer = process.stdout.readline()
        if answer.endswith(b"\n"):
            return json.loads(answer)
        self.end()
        return Lost(reason=_reason(process.returncode))

    def end(self) -> None:
        """Kill the process, if there is one, and reap it."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            with contextlib.suppress(BrokenPipeError):
                process.__exit__(None, None, None)

    def _start(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            self._program.argv,
            env=dict(self._program.env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # Libraries in C write their complaints here; the reason is in the answer.
            stderr=subprocess.DEVNULL,
            # Ctrl-C in the terminal is for us, who end them.
            start_new_session=True,
        )


def _reason(code: int) -> str:
    """Say how a process ended that should have answered."""
    if code == -signal.SIGALRM:
        return "took too long"
    return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
