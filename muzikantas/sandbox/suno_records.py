"""A task in the words of the music gateway: record-info in camelCase, callbacks in snake_case. Pure."""

import json
from datetime import UTC, datetime
from typing import Any

from muzikantas.sandbox.acceptance import said
from muzikantas.sandbox.book import Take, Task

REFUNDED = 531  #: failed, and the credits came back


def failure_code(task: Task) -> int:
    """Give the code of a failed task's error callback and record."""
    if task.fault.get("refund"):
        return REFUNDED
    return 400 if task.fault["fail"] == "SENSITIVE_WORD_ERROR" else 501


def record(task: Task, status: str, url: str) -> dict[str, Any]:
    """Show a task as record-info does (`param` is a JSON string); `url` is the gateway's own."""
    failed = "fail" in task.fault and status == task.fault["fail"]
    shown = [] if failed or status == "PENDING" else songs(task, status, url)
    return {
        "taskId": task.id,
        "parentMusicId": "",
        "param": json.dumps(said(task.body)),
        "response": {"taskId": task.id, "sunoData": shown},
        "status": status,
        "type": "GENERATE",
        "errorCode": failure_code(task) if failed else None,
        "errorMessage": f"The sandbox let this task fail: {status}." if failed else None,
    }


def songs(task: Task, status: str, url: str) -> list[dict[str, Any]]:
    """Show the takes that a status gives away: links appear with the first and the last stage."""
    linked = {"TEXT_SUCCESS": 0, "FIRST_SUCCESS": 1}.get(status, len(task.takes))
    return [_song(task, take, url, linked=number < linked) for number, take in enumerate(task.takes)]


def _song(task: Task, take: Take, url: str, *, linked: bool) -> dict[str, Any]:
    link = f"{url}/files/{take.id}.mp3"
    created = datetime.fromtimestamp(task.accepted_at, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return {
        "id": take.id,
        "audioUrl": link if linked else "",
        "streamAudioUrl": link if linked else "",
        "imageUrl": f"{url}/files/{take.id}.jpeg",
        "prompt": "" if task.body.get("instrumental") else task.body.get("prompt", ""),
        "modelName": f"chirp-sandbox-{task.body['model'].lower()}",
        "title": task.title,
        "tags": task.style,
        "createTime": created,
        "duration": take.duration_s if linked else None,
    }


def snake(song: dict[str, Any]) -> dict[str, Any]:
    """Turn a song of record-info into one of a callback: snake_case, but `createTime` stays."""
    return {
        "id": song["id"],
        "audio_url": song["audioUrl"],
        "source_audio_url": song["audioUrl"],
        "stream_audio_url": song["streamAudioUrl"],
        "source_stream_audio_url": song["streamAudioUrl"],
        "image_url": song["imageUrl"],
        "source_image_url": song["imageUrl"],
        "prompt": song["prompt"],
        "model_name": song["modelName"],
        "title": song["title"],
        "tags": song["tags"],
        "createTime": song["createTime"],
        "duration": song["duration"],
    }
