"""A provider call inside its limits: admitted first, its lease given back after it, its refusal told to all workers."""

import contextlib
import logging
from collections.abc import Iterator

from muzikantas.clients.governor import Governor
from muzikantas.clients.http import CONNECT_S, READ_S, TOTAL_S
from muzikantas.domain.accounts import Account
from muzikantas.domain.errors import OutOfCredits, TransientError
from muzikantas.domain.waiting import Wait

logger = logging.getLogger(__name__)

#: The longest call through `clients/http.py`: connecting, the whole answer, and one silence within it.
HTTP_CALL_S = CONNECT_S + TOTAL_S + READ_S


@contextlib.contextmanager
def governed(governor: Governor, job: str, *, owner: str, lease_s: float) -> Iterator[Account]:
    """Admit a job's call, and hold its lease while the block makes the call with the account given.

    A provider that says when to come again is left alone until then by every worker, and an empty account by all who
    look for one. A block that ends in `Wait` keeps the lease: the job goes on, in this task's next delivery or in
    another one that is at it now; should nobody come back, the lease ends by itself after `lease_s`.

    Raises
    ------
    Wait, OutOfCredits, TransientError
        Not admitted (see `Governor.admit`); the block has not begun.
    """
    account = governor.admit(job, owner=owner, lease_s=lease_s)
    try:
        yield account
    except Wait:
        raise
    except BaseException as error:
        _leave(governor, job, account, error)
        raise
    _leave(governor, job, account, None)


def _leave(governor: Governor, job: str, account: Account, error: BaseException | None) -> None:
    """Tell what the provider said of the account, and give the lease back.

    The call is over: a governor that does not answer now must not undo what came of it.
    """
    try:
        if isinstance(error, TransientError) and error.retry_after_s is not None:
            governor.cool_down(account, error.retry_after_s)
        elif isinstance(error, OutOfCredits):
            governor.out_of_credits(account)
        governor.release(job)
    except TransientError as lost:
        logger.warning("the lease of %s ends by itself: %s", job, lost)
