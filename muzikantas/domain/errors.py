"""Everything that can go wrong, sorted by what to do about it.

::

    MuzikantasError
    ├── InputError          an operator's file, key or argument is wrong: say where, change nothing, exit 2
    ├── TransientError      try the same thing again later (`retry_after_s`, when the other side said when)
    ├── UnknownOutcome      a paid call whose end nobody knows: park it, never repeat it
    └── PermanentError      trying again will not help: record the reason and go on
        ├── OutOfCredits    the account is empty: stop its queue, tell the operator
        ├── Refused         the provider will not make this (moderation, bad prompt)
        ├── Unauthorized    the key is wrong or expired: stop, tell the operator
        ├── Incomplete      a reply was cut off or does not parse
        ├── BudgetExceeded  a hard limit of ours forbids the call
        └── UnusableAudio   a file that is no music we can measure

`Wait` (`domain/waiting.py`) is not among them: waiting is not a failure.
"""


class MuzikantasError(Exception):
    """Base of every error raised on purpose."""


class InputError(MuzikantasError):
    """Something an operator gave is wrong; the message says what was found, what was expected and what to do."""


class TransientError(MuzikantasError):
    """The same call may work later. Only the base task retries it.

    Parameters
    ----------
    message
        What happened, with the ids and numbers found.
    retry_after_s
        Seconds that the other side asked us to wait, or None when it did not say.
    """

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class UnknownOutcome(MuzikantasError):
    """A paid request may or may not have been accepted. It is parked and never sent again by itself."""


class PermanentError(MuzikantasError):
    """Trying again will not help."""


class OutOfCredits(PermanentError):
    """The provider's account has no credits left."""


class Refused(PermanentError):
    """The provider, or one of our own bounds, will not have this."""


class Unauthorized(PermanentError):
    """The key is missing, wrong or expired."""


class Incomplete(PermanentError):
    """A reply was cut off, or is not what was asked for."""


class BudgetExceeded(PermanentError):
    """A hard limit of a budget forbids the call."""


class UnusableAudio(PermanentError):
    """A file holds no music that can be measured."""
