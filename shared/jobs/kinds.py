"""Kinds of jobs: a payload model, a handler, a policy. One decorated function declares one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import BaseModel, JsonValue, ValidationError

from shared.jobs.errors import FieldProblem, InvalidPayloadError, NewerVersionError, UnknownKindError
from shared.jobs.model import Priority

if TYPE_CHECKING:
    from shared.jobs.context import JobContext

P = TypeVar("P", bound=BaseModel)
Handler = Callable[[P, "JobContext"], Awaitable[Any]]
Upgrade = Callable[[dict[str, JsonValue]], dict[str, JsonValue]]


@dataclass(frozen=True, slots=True)
class Policy:
    """How jobs of a kind are queued, retried and bounded. Times are seconds."""

    queue: str | None = None
    """The kind's own queue; None: the general queue of the job's priority."""
    poison_queue: str | None = None
    """Where a job that gave up is announced; None: `{queue}-poison`, which is the host's name too."""
    priority: Priority = Priority.NORMAL
    max_attempts: int = 5
    max_lapses: int = 4
    """How many workers may vanish in the middle before the job gives up (such attempts do not count as failures)."""
    base_backoff_seconds: float = 5
    max_backoff_seconds: float = 300
    jitter_seconds: float = 0
    timeout_seconds: float = 300
    dedupe_ttl_seconds: int = 0
    """For how long a duplicate gets the first job's ticket; 0: no dedupe."""
    final: tuple[type[Exception], ...] = ()
    """Exceptions that no retry mends."""
    public: bool = False
    """Whether clients may submit this kind by its name over HTTP."""
    client_options: frozenset[str] = frozenset({"priority", "not_before", "dedupe_key", "callback_url"})
    """What clients may give beside the payload. Without effect, and refused: a priority where the kind has a queue of
    its own, a dedupe key where there is no dedupe TTL."""


@dataclass(frozen=True, slots=True)
class Dedupe:
    """What makes two submissions the same: an equal key, while the fingerprint is equal too.

    A submission with the same key and another fingerprint is news about the same thing: it makes a job, and takes over
    the key.
    """

    key: str
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class Kind(Generic[P]):
    """One kind of job. Called like the handler that it wraps."""

    name: str
    payload: type[P]
    handler: Handler[P]
    version: int = 1
    policy: Policy | Callable[[Any], Policy] = field(default_factory=Policy)
    dedupe: Callable[[P], Dedupe | None] | None = None
    upgrades: Mapping[int, Upgrade] = field(default_factory=dict)

    def __call__(self, payload: P, job: JobContext) -> Awaitable[Any]:
        """Run the handler."""
        return self.handler(payload, job)

    def parse(self, payload: Mapping[str, JsonValue], version: int) -> P:
        """Upgrade a payload of any known version to this one and validate it.

        Raises:
            NewerVersionError: the payload is of a version that this code does not know yet.
            InvalidPayloadError: it does not fit; each problem names its field.
        """
        if version > self.version:
            raise NewerVersionError(f"{self.name} payload version {version}; this code knows {self.version}")
        current = dict(payload)
        for step in range(version, self.version):
            current = self.upgrades[step](current)
        try:
            return self.payload.model_validate(current)
        except ValidationError as error:
            raise InvalidPayloadError(problems_of(error)) from None

    def settled(self, settings: object) -> Kind[P]:
        """This kind with its policy worked out for the given settings."""
        if isinstance(self.policy, Policy):
            return self
        return Kind(
            self.name, self.payload, self.handler, self.version, self.policy(settings), self.dedupe, self.upgrades
        )

    def queued_on(self, queue: str) -> Kind[P]:
        """This kind, settled, with a queue of its own."""
        assert isinstance(self.policy, Policy)  # noqa: S101 - settled
        return replace(self, policy=replace(self.policy, queue=queue, poison_queue=None))


def kind(
    name: str,
    *,
    payload: type[P],
    version: int = 1,
    policy: Policy | Callable[[Any], Policy] | None = None,
    dedupe: Callable[[P], Dedupe | None] | None = None,
    upgrades: Mapping[int, Upgrade] | None = None,
) -> Callable[[Handler[P]], Kind[P]]:
    """Declare a kind of job.

    Example::

        class Greeting(BaseModel):
            name: str

        @kind("greet", payload=Greeting, policy=Policy(max_attempts=3))
        async def greet(payload: Greeting, job: JobContext) -> dict[str, str]:
            return {"said": f"hello {payload.name}"}

    Args:
        name: the kind's name in envelopes, records and URLs.
        payload: the pydantic model of the payload.
        version: the payload's version; raise it when the model changes incompatibly.
        policy: the policy, or a function that makes it from the app's settings.
        dedupe: derives from a payload what makes it a duplicate; None for payloads that never are.
        upgrades: for each older version, a function from its JSON to that of the next version.
    """

    def declare(handler: Handler[P]) -> Kind[P]:
        missing = [old for old in range(1, version) if old not in (upgrades or {})]
        if missing:
            raise ValueError(f"kind {name}: no upgrade from payload version {missing[0]}")
        return Kind(name, payload, handler, version, policy or Policy(), dedupe, upgrades or {})

    return declare


@dataclass(frozen=True, slots=True)
class Queues:
    """The general queues by priority."""

    high: str = "jobs-high"
    normal: str = "jobs"
    low: str = "jobs-low"

    def of(self, priority: Priority) -> str:
        """The queue of a priority."""
        return {Priority.HIGH: self.high, Priority.NORMAL: self.normal, Priority.LOW: self.low}[priority]


class Registry:
    """The kinds that an app knows, their policies settled, and the queues that they use."""

    def __init__(self, kinds: Iterable[Kind[Any]], queues: Queues, settings: object = None) -> None:
        self._kinds = {one.name: one.settled(settings) for one in kinds}
        self._queues = queues
        for name, queue in getattr(settings, "kind_queues", ()):
            self._kinds[name] = self[name].queued_on(queue)

    def __getitem__(self, name: str) -> Kind[Any]:
        """Return the kind, or raise UnknownKindError."""
        try:
            return self._kinds[name]
        except KeyError:
            raise UnknownKindError(f"no kind of job is called {name!r}") from None

    def __contains__(self, name: str) -> bool:
        """Whether there is a kind of this name."""
        return name in self._kinds

    def __iter__(self) -> Any:
        """Iterate over the kinds by name."""
        return iter(sorted(self._kinds.values(), key=lambda one: one.name))

    def policy(self, name: str) -> Policy:
        """The settled policy of a kind."""
        policy = self[name].policy
        assert isinstance(policy, Policy)  # noqa: S101 - settled by the constructor
        return policy

    def queue(self, name: str, priority: Priority) -> str:
        """The queue that a job of this kind and priority travels on."""
        return self.policy(name).queue or self._queues.of(priority)

    def poison_queue(self, name: str, priority: Priority) -> str:
        """The poison queue that belongs to it."""
        return self.policy(name).poison_queue or f"{self.queue(name, priority)}-poison"


def problems_of(error: ValidationError) -> tuple[FieldProblem, ...]:
    """What a validation error says, field by field, without the values (they may be personal)."""
    return tuple(
        FieldProblem(".".join(map(str, one["loc"])), one["msg"])
        for one in error.errors(include_url=False, include_input=False, include_context=False)
    )
