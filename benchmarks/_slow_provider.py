"""A music gateway that does nothing but take its time: it accepts, waits, says SUCCESS, and counts what is in flight.

Far cheaper than the sandbox, so that a benchmark measures our waiting and not somebody's synthesis.
"""

import argparse
import asyncio
import json
import time
import uuid
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class Gateway:
    """Jobs by id, with the moment at which each is done."""

    seconds: float
    jobs: dict[str, float] = field(default_factory=dict)
    looks: int = 0
    most: int = 0  #: jobs at work at the same time, at most
    background: set[asyncio.Task[None]] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request on one connection."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        method, target, _ = head.split(" ", 2)
        length = next(
            (int(h.partition(":")[2]) for h in head.splitlines() if h.lower().startswith("content-length")), 0
        )
        body = json.loads(await reader.readexactly(length)) if length else {}
        answer = json.dumps(self.answer(method, target, body)).encode()
        status = HTTPStatus.OK
        writer.write(
            f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(answer)}\r\nConnection: close\r\n\r\n".encode()
            + answer
        )
        await writer.drain()
        writer.close()

    def answer(self, method: str, target: str, body: dict[str, Any]) -> dict[str, Any]:
        """Give the body of an answer: a new job, a look at one, or the count."""
        now = time.monotonic()
        if method == "POST":
            job = uuid.uuid4().hex
            self.jobs[job] = now + self.seconds
            self.most = max(self.most, sum(done > now for done in self.jobs.values()))
            self._call_back(job, str(body.get("callBackUrl", "")))
            return {"code": 200, "msg": "success", "data": {"taskId": job}}
        url = urlsplit(target)
        if url.path == "/count":
            return {"jobs": len(self.jobs), "looks": self.looks, "most": self.most}
        self.looks += 1
        job = parse_qs(url.query)["taskId"][0]
        done = now >= self.jobs[job]
        record = {"taskId": job, "status": "SUCCESS" if done else "PENDING", "response": {"sunoData": songs(job, done)}}
        return {"code": 200, "msg": "success", "data": record}

    def _call_back(self, job: str, address: str) -> None:
        """Tell the client when its job is done, where it named an address of this machine."""
        if urlsplit(address).hostname == "127.0.0.1":
            told = asyncio.create_task(tell(address, job, self.seconds))
            self.background.add(told)
            told.add_done_callback(self.background.discard)


def songs(job: str, done: bool) -> list[dict[str, Any]]:  # noqa: FBT001 (a job is done or it is not)
    """Give the two takes of a job that is done; nobody downloads them here."""
    numbers = (1, 2) if done else ()
    return [{"id": f"{job}-{n}", "audioUrl": f"http://127.0.0.1/{job}-{n}.mp3", "duration": 60.0} for n in numbers]


async def tell(address: str, job: str, seconds: float) -> None:
    """Post the callback of a job that is done."""
    await asyncio.sleep(seconds)
    url = urlsplit(address)
    takes = [{"id": song["id"], "audio_url": song["audioUrl"]} for song in songs(job, done=True)]
    body = json.dumps({"code": 200, "msg": "done", "data": {"callbackType": "complete", "task_id": job, "data": takes}})
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    head = f"POST {url.path} HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Type: application/json\r\nConnection: close\r\n"
    writer.write(f"{head}Content-Length: {len(body.encode())}\r\n\r\n{body}".encode())
    await reader.read()
    writer.close()


async def main(port: int, seconds: float) -> None:
    """Serve on loopback until killed."""
    server = await asyncio.start_server(Gateway(seconds).serve, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True, help="how long every job takes")
    asyncio.run(main(**vars(parser.parse_args())))
