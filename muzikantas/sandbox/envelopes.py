"""The music gateway's answers: everything is wrapped in `{code, msg, data}`, and the truth is in `code`."""

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from muzikantas.sandbox import answers
from muzikantas.sandbox.deeds import Deed
from muzikantas.sandbox.json_values import Json

AS_TOLD = "The sandbox was told to answer so."
DENIED = (401, "You do not have access permissions.")


def envelope(request: Request, code: int, message: str, data: Json = None) -> JSONResponse:
    """Answer with a body code; HTTP says 200."""
    answers.note(request, code=code)
    return JSONResponse({"code": code, "msg": message, "data": data})


def refusal(request: Request, deed: Deed) -> Response | None:
    """Give the answer that the fault script wants before anything happens, or None.

    The HTTP status of a gateway's errors is documented nowhere: a script can give both, `code` and `http`.
    """
    return _told(request, deed, "code", "http") or answers.broken(deed)


def unheard(request: Request, deed: Deed) -> Response | None:
    """Give the answer to what was accepted and whose client shall not hear of it, or None."""
    return _told(request, deed, "accept_then_code", "accept_then_http") or answers.unanswered(deed)


def _told(request: Request, deed: Deed, code: str, http: str) -> Response | None:
    if code not in deed:
        return None
    answer = envelope(request, int(deed[code]), AS_TOLD)
    answer.status_code = deed.get(http, 200)
    if "retry_after" in deed:
        answer.headers["retry-after"] = str(deed["retry_after"])
    return answer
