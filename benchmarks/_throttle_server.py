"""A provider that counts: at most 20 calls in any 10 s and 10 at a time for each account; every call takes 1 s.

It counts in a sliding window of arrivals, on its own clock. A call too many is answered 429 and is not counted.
"""

import asyncio
import json
import sys
import time
from collections import defaultdict

CALLS, WINDOW_S, CONCURRENCY, CALL_S = 20, 10.0, 10, 1.0

accepted: dict[str, list[float]] = defaultdict(list)  # by account
rejected: dict[str, list[float]] = defaultdict(list)  # by what was exceeded
running: dict[str, int] = defaultdict(int)


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one request: `POST /call/ACCOUNT`, `POST /reset`, or `GET /log`."""
    line = (await reader.readline()).decode()
    now = time.monotonic()
    path = line.split()[1] if line else "/"
    if path.startswith("/call/"):
        status, said = await call(path.removeprefix("/call/"), now), "{}"
    else:
        if path == "/reset":
            accepted.clear()
            rejected.clear()
        status, said = 200, json.dumps({"now": now, "accepted": accepted, "rejected": rejected})
    head = f"HTTP/1.1 {status} .\r\nContent-Type: application/json\r\nContent-Length: {len(said)}\r\nConnection: close"
    writer.write(f"{head}\r\n\r\n{said}".encode())
    await writer.drain()
    writer.close()


async def call(account: str, now: float) -> int:
    """Let one call pass, or not."""
    recent = sum(now - at < WINDOW_S for at in accepted[account])
    if recent >= CALLS or running[account] >= CONCURRENCY:
        rejected["rate" if recent >= CALLS else "concurrency"].append(now)
        return 429
    accepted[account].append(now)
    running[account] += 1
    try:
        await asyncio.sleep(CALL_S)
    finally:
        running[account] -= 1
    return 200


async def serve(port: int) -> None:
    """Serve until killed."""
    server = await asyncio.start_server(answer, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
