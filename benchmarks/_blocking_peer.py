"""The usual way to wait for a provider in Celery: submit, then sleep and look until it is done, in one task."""

import json
import os
import time
import urllib.request
from typing import Any

from celery import Celery

app: "Celery[Any]" = Celery("peer", broker=os.environ.get("REDIS_URL"), backend=os.environ.get("REDIS_URL"))
app.conf.update(task_default_queue="peer", task_acks_late=True, worker_prefetch_multiplier=1)

#: Between two looks, as in most examples.
LOOK_S = 1.0


@app.task(name="peer.generate")
def generate() -> str:
    """Make one piece and hold the process meanwhile."""
    base = os.environ["SUNO_BASE_URL"]
    job = str(_ask(f"{base}/api/v1/generate", b"{}")["taskId"])
    while _ask(f"{base}/api/v1/generate/record-info?taskId={job}")["status"] != "SUCCESS":
        time.sleep(LOOK_S)
    return job


def _ask(url: str, body: bytes | None = None) -> dict[str, object]:
    with urllib.request.urlopen(url, data=body, timeout=30) as answer:  # noqa: S310 (a loopback address of ours)
        data: dict[str, object] = json.load(answer)["data"]
        return data
