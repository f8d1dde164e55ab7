"""A server that answers as it is told, once a request, and remembers what it was sent."""

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One answer; a body that is no bytes is sent as JSON."""

    status: int = 200
    body: Any = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    drop: bool = False  #: close the connection without a word
    piece_s: float = 0.0  #: send byte by byte, with this pause between


@dataclass(frozen=True, kw_only=True)
class Received:
    """One request as it came in."""

    path: str
    headers: Mapping[str, str]
    body: Any


class Server:
    """Answers requests from a list, in order; its last answer again when there are more."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.received: list[Received] = []
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                body = json.loads(self.rfile.read(length)) if length else None
                server.received.append(Received(path=self.path, headers=dict(self.headers), body=body))
                answer = server.answers.pop(0) if len(server.answers) > 1 else server.answers[0]
                if answer.drop:
                    self.close_connection = True
                    return
                data = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
                self.send_response(answer.status)
                for name, value in {"content-length": str(len(data)), **answer.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self._write(data, answer.piece_s)

            do_GET = do_POST  # noqa: N815 (the name is the base class's)

            def _write(self, data: bytes, piece_s: float) -> None:
                pieces = [data[i : i + 1] for i in range(len(data))] if piece_s else [data]
                try:
                    for piece in pieces:
                        self.wfile.write(piece)
                        time.sleep(piece_s)
                except OSError:
                    return  # whoever asked has left

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name is the base class's)
                """Keep the test's output quiet."""

        return Handler
