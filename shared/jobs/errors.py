"""What can go wrong with a job: a small tree of exceptions whose docstring is the message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import JsonValue


class JobsError(Exception):
    """Something went wrong with a job."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail or (type(self).__doc__ or "").partition("\n")[0])


class InvalidTransitionError(JobsError):
    """The job is in a state in which this cannot happen to it."""


class SupersededError(InvalidTransitionError):
    """A later attempt holds this job: this one's writes no longer count."""


class JobCancelledError(JobsError):
    """Somebody asked for this job to be cancelled."""


class FinalError(JobsError):
    """No retry mends this: the job gives up at once. Raised by handlers."""


class RetryLater(JobsError):  # noqa: N818 - it reads as what it asks for
    """Try again, not before `seconds` from now. Raised by handlers that were told a delay (`Retry-After`)."""

    def __init__(self, seconds: float, detail: str = "") -> None:
        super().__init__(detail)
        self.seconds = seconds


class Snooze(JobsError):  # noqa: N818 - it reads as what it asks for
    """Nothing to do until `seconds` from now. Raised by handlers that wait for something; no failure, however often."""

    def __init__(self, seconds: float, detail: str = "") -> None:
        super().__init__(detail)
        self.seconds = seconds


class Suspend(JobsError):  # noqa: N818 - it reads as what it asks for
    """Nothing to do until a job that this one is made of has ended. Raised by handlers of such; no failure, however often."""


class HandOver(JobsError):  # noqa: N818 - it reads as what it asks for
    """Go on in another attempt, from `state`. Raised by handlers whose time runs out; no failure, however often."""

    def __init__(self, state: JsonValue = None) -> None:
        super().__init__()
        self.state = state


class OvertimeError(JobsError, TimeoutError):
    """The attempt ran for longer than its kind may."""

    recorded_as = "TimeoutError"
    """The name under which records have it."""


class ExitError(JobsError):
    """A task that the handler started was to end the process."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(str(error) or type(error).__name__)
        self.recorded_as = type(error).__name__
        """The name under which records have it."""


class UnstorableError(FinalError):
    """What the handler returned cannot be stored: doing the work again would not change that."""


class StepError(FinalError):
    """The steps of the handler cannot work as they are written."""


class NotDoneError(JobsError):
    """The effect was not done. Raised by what does an effect, where the outside said so."""


class UncertainError(FinalError):
    """Nobody knows whether an effect was done: the job waits for an operator's answer."""


class StalledError(JobsError):
    """The worker vanished in the middle of the job, more often than the kind allows."""

    recorded_as = "LapsedError"
    """The name under which records have it."""


class HostGaveUpError(JobsError):
    """The host moved the message to the poison queue: no delivery of it ever ended well."""


class UnreadableError(JobsError):
    """The message is not an envelope of this app."""


class KindError(JobsError, ValueError):
    """The declaration of a kind of job cannot work."""


class UnknownKindError(JobsError):
    """No such kind of job is registered."""


class NewerVersionError(JobsError):
    """The payload is of a newer version than this code knows."""


class KeyReusedError(JobsError):
    """This idempotency key was used for another request."""


class InFlightError(JobsError):
    """The request that used this idempotency key first is still at work."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds
        """After so many it is taken for dead."""


class JobNotFoundError(JobsError):
    """There is no such job."""


class DeadLetterNotFoundError(JobsError):
    """There is no such dead letter."""


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One field of a payload that does not fit: where it is (`a.b.0`), and what was expected."""

    field: str
    message: str


class InvalidPayloadError(FinalError):
    """The payload does not fit its kind."""

    def __init__(self, problems: tuple[FieldProblem, ...]) -> None:
        super().__init__("; ".join(f"{p.field}: {p.message}" for p in problems))
        self.problems = problems
