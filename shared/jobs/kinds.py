"""Kinds of jobs: a payload model, a handler, a policy; and the registry of those that an app knows."""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, JsonValue, ValidationError
from pydantic_core import PydanticSerializationError, from_json, to_json

from shared.jobs.errors import FieldProblem, InvalidPayloadError, KindError, NewerVersionError, UnknownKindError
from shared.jobs.model import Failure, Job, Priority
from shared.settings import Settings, SettingsError

P = TypeVar("P", bound=BaseModel)
Upgrade = Callable[[dict[str, JsonValue]], dict[str, JsonValue]]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


@dataclass(frozen=True, slots=True)
class Policy:
    """How jobs of a kind are queued, retried and bounded. Times are seconds."""

    queue: str | None = None
    """The kind's own queue; None: the general queue of the job's priority."""
    poison_queue: str | None = None
    """Where a job that gave up is announced; None: `{queue}-poison`, which is the host's name too."""
    priority: Priority = Priority.NORMAL
    max_attempts: int = 5
    max_stalls: int = 4
    """How many workers may vanish in the middle before the job gives up (such attempts do not count as failures)."""
    base_backoff_seconds: float = 5
    """The most that the first wait takes; it doubles with each failure. The wait is a random share of it."""
    min_backoff_seconds: float = 0
    """The least that the first wait takes; it doubles, too. As much as `base_backoff_seconds`: the waits are exactly so long."""
    max_backoff_seconds: float = 300
    jitter_seconds: float = 0
    """Up to so many seconds are added to each wait."""
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
    """One kind of job, as `shared.jobs.job` declares it. Called like the handler that it wraps."""

    name: str
    payload: type[P]
    handler: Callable[[P, Any], Awaitable[Any]]
    version: int = 1
    policy: Policy | Callable[[Settings], Policy] = field(default_factory=Policy)
    dedupe: Callable[[P], Dedupe | None] | None = None
    upgrades: Mapping[int, Upgrade] = field(default_factory=dict)
    on_abort: Callable[[P, Any, Failure], Awaitable[None]] | None = None
    """Called once it is decided that a job gives up, before it does."""
    brings: tuple[Kind[Any], ...] = ()
    """Kinds that it needs: known wherever it is."""
    timeouts: tuple[float, ...] = ()
    """Seconds that jobs of other kinds may take which it starts with timeouts of their own."""
    parent: Callable[[Any], Any] | None = None
    """Makes what is told of the jobs that its jobs are made of (`shared.jobs.children.Parent`); None: `fan_out`'s."""

    def __post_init__(self) -> None:
        """Refuse what could not work."""
        if not _NAME.fullmatch(self.name):
            raise KindError(f"kind {self.name!r}: a name is letters, digits, '.', '_' and '-'")
        called = self.handler if inspect.isfunction(self.handler) else getattr(self.handler, "__call__", None)  # noqa: B004 - an instance may have an async one
        if not (inspect.iscoroutinefunction(self.handler) or inspect.iscoroutinefunction(called)):
            raise KindError(f"kind {self.name}: its handler must be a coroutine function (`async def`)")
        missing = [old for old in range(1, self.version) if old not in self.upgrades]
        if missing:
            raise KindError(f"kind {self.name}: no upgrade from payload version {missing[0]}")

    def __call__(self, payload: P, job: Any) -> Awaitable[Any]:
        """Run the handler."""
        return self.handler(payload, job)

    @property
    def declared_in(self) -> str:
        """Where its handler is, for error messages."""
        return f"{self.handler.__module__}.{getattr(self.handler, '__qualname__', type(self.handler).__qualname__)}"

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

    def __init__(
        self,
        kinds: Iterable[Kind[Any]],
        queues: Queues,
        settings: Settings | None = None,
        longest_seconds: float | None = None,
    ) -> None:
        """Settle the policies of kinds.

        Args:
            kinds: the kinds.
            queues: the general queues.
            settings: what policies that are functions are made from.
            longest_seconds: how long the host lets a function run; None: for as long as it likes.

        Raises:
            KindError: two kinds have one name, or an attempt of one may take longer than the host allows.
            SettingsError: a queue is set for a kind that there is not.
        """
        self._kinds: dict[str, Kind[Any]] = {}
        self._policies: dict[str, Policy] = {}
        self._queues = queues
        given = tuple(kinds)
        names = {kind.name for kind in given}
        brought = {each.name: each for kind in given for each in kind.brings if each.name not in names}
        for kind in (*given, *brought.values()):
            self._add(kind, settings or Settings(), longest_seconds)
        for name, queue in (settings or Settings()).kind_queues:
            if name not in self._kinds:
                raise SettingsError(f"JOBS_KIND_QUEUES: expected names of kinds, found {name!r}")
            self._policies[name] = replace(self.policy(name), queue=queue, poison_queue=None)
            self._kinds[name] = replace(self[name], policy=self._policies[name])

    def _add(self, kind: Kind[Any], settings: Settings, longest_seconds: float | None) -> None:
        if kind.name in self._kinds:
            places = f"{self._kinds[kind.name].declared_in} and {kind.declared_in}"
            raise KindError(f"two kinds are called {kind.name!r}: {places}")
        policy = kind.policy if isinstance(kind.policy, Policy) else kind.policy(settings)
        longest = max(policy.timeout_seconds, *kind.timeouts) if kind.timeouts else policy.timeout_seconds
        if longest_seconds is not None and longest >= longest_seconds:
            raise KindError(
                f"kind {kind.name}: its timeout of {longest:g} s is not below the host's "
                f"functionTimeout of {longest_seconds:g} s"
            )
        self._kinds[kind.name] = replace(kind, policy=policy)
        self._policies[kind.name] = policy

    def __getitem__(self, name: str) -> Kind[Any]:
        """Return the kind, or raise UnknownKindError."""
        try:
            return self._kinds[name]
        except KeyError:
            raise UnknownKindError(f"no kind of job is called {name!r}") from None

    def __contains__(self, name: str) -> bool:
        """Whether there is a kind of this name."""
        return name in self._kinds

    def __iter__(self) -> Iterator[Kind[Any]]:
        """Iterate over the kinds by name."""
        return iter(sorted(self._kinds.values(), key=lambda one: one.name))

    def accept(
        self, kind: Kind[Any] | str, payload: BaseModel | Mapping[str, Any]
    ) -> tuple[Kind[Any], Policy, BaseModel, dict[str, JsonValue]]:
        """The kind as it is registered, its policy, and the payload as its model and as it is stored.

        Raises:
            UnknownKindError: there is no such kind.
            InvalidPayloadError: the payload does not fit it.
        """
        known = self[kind if isinstance(kind, str) else kind.name]
        model = payload if isinstance(payload, known.payload) else known.parse(dict(payload), known.version)
        return known, self._policies[known.name], model, stored(model)

    def resolve(self, name: str) -> tuple[Kind[Any], Policy]:
        """The kind and its settled policy, or UnknownKindError."""
        return self[name], self._policies[name]

    def policy(self, name: str) -> Policy:
        """The settled policy of a kind, or UnknownKindError."""
        return self._policies[self[name].name]

    def policy_of(self, job: Job) -> Policy:
        """The settled policy of a job: its kind's, but for what was said for this job alone; or UnknownKindError."""
        policy = self.policy(job.kind)
        return replace(policy, **job.overrides) if job.overrides else policy

    def queue(self, name: str, priority: Priority) -> str:
        """The queue that a job of this kind and priority travels on."""
        return self.policy(name).queue or self._queues.of(priority)

    def poison_queue(self, name: str, priority: Priority) -> str:
        """The poison queue that belongs to it."""
        return self.policy(name).poison_queue or f"{self.queue(name, priority)}-poison"

    def routes(self) -> Iterator[tuple[str, str, str]]:
        """Each kind by name, with the queue that its jobs usually travel on and the poison queue of that."""
        for kind in self:
            priority = self._policies[kind.name].priority
            yield kind.name, self.queue(kind.name, priority), self.poison_queue(kind.name, priority)


def stored(payload: BaseModel) -> dict[str, JsonValue]:
    """A payload as records and messages hold it: without what is None, unless that would make it another payload.

    Raises:
        InvalidPayloadError: it holds what JSON cannot say.
    """
    try:
        content: dict[str, JsonValue] = payload.model_dump(mode="json", exclude_none=True)
        if not _reads_as(content, payload):
            content = payload.model_dump(mode="json")
        from_json(to_json(content), allow_inf_nan=False)
    except (PydanticSerializationError, ValueError) as error:
        problem = FieldProblem(
            _unsayable(payload), "must be what JSON can say: finite numbers, and text of whole characters"
        )
        raise InvalidPayloadError((problem,)) from error
    return content


def _reads_as(content: dict[str, JsonValue], payload: BaseModel) -> bool:
    try:
        return type(payload).model_validate(content) == payload
    except ValidationError:
        return False


def _unsayable(payload: BaseModel) -> str:
    """The first field whose value JSON cannot hold."""
    for name, value in payload:
        try:
            from_json(to_json(value), allow_inf_nan=False)
        except (PydanticSerializationError, ValueError):
            return name
    return ""


def problems_of(error: ValidationError) -> tuple[FieldProblem, ...]:
    """What a validation error says, field by field, without the values (they may be personal)."""
    return tuple(
        FieldProblem(".".join(map(str, one["loc"])), one["msg"])
        for one in error.errors(include_url=False, include_input=False, include_context=False)
    )
