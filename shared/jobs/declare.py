"""Declaring a kind of job: one decorated function."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from types import SimpleNamespace
from typing import Any, TypedDict, Unpack, cast, get_type_hints, overload

from pydantic import BaseModel

from shared.jobs.context import JobContext
from shared.jobs.errors import KindError
from shared.jobs.kinds import Dedupe, Kind, P, Policy, Upgrade
from shared.jobs.model import Failure, Priority

Handler = Callable[[P, JobContext], Awaitable[Any]]
OnAbort = Callable[[P, JobContext, Failure], Awaitable[None]]


class PolicyFields(TypedDict, total=False):
    """The fields of `Policy`, as keywords of `job`."""

    queue: str | None
    poison_queue: str | None
    priority: Priority
    max_attempts: int
    max_stalls: int
    base_backoff_seconds: float
    min_backoff_seconds: float
    max_backoff_seconds: float
    jitter_seconds: float
    timeout_seconds: float
    dedupe_ttl_seconds: int
    final: tuple[type[Exception], ...]
    public: bool
    client_options: frozenset[str]


@overload
def job(
    name: str,
    *,
    dedupe: Callable[[P], Dedupe | None],
    version: int = ...,
    policy: Policy | Callable[[Any], Policy] | None = ...,
    upgrades: Mapping[int, Upgrade] | None = ...,
    on_abort: OnAbort[P] | None = ...,
    **fields: Unpack[PolicyFields],
) -> Callable[[Handler[P]], Kind[P]]: ...
@overload
def job(
    name: str,
    *,
    on_abort: OnAbort[P],
    version: int = ...,
    policy: Policy | Callable[[Any], Policy] | None = ...,
    upgrades: Mapping[int, Upgrade] | None = ...,
    **fields: Unpack[PolicyFields],
) -> Callable[[Handler[P]], Kind[P]]: ...
@overload
def job(
    name: str,
    *,
    version: int = ...,
    policy: Policy | Callable[[Any], Policy] | None = ...,
    upgrades: Mapping[int, Upgrade] | None = ...,
    **fields: Unpack[PolicyFields],
) -> Callable[[Handler[P]], Kind[P]]: ...
def job(
    name: str,
    *,
    dedupe: Callable[[Any], Dedupe | None] | None = None,
    version: int = 1,
    policy: Policy | Callable[[Any], Policy] | None = None,
    upgrades: Mapping[int, Upgrade] | None = None,
    on_abort: OnAbort[Any] | None = None,
    **fields: Unpack[PolicyFields],
) -> Callable[[Handler[P]], Kind[P]]:
    """Declare a kind of job. Its payload is what the handler's first parameter is annotated with: a pydantic model.

    Example::

        class Greeting(BaseModel):
            name: str

        @job("greet", max_attempts=3, public=True)
        async def greet(payload: Greeting, job: JobContext) -> dict[str, str]:
            return {"said": f"hello {payload.name}"}

    Args:
        name: the kind's name in envelopes, records and URLs.
        dedupe: derives from a payload what makes it a duplicate; None for payloads that never are.
        version: the payload's version; raise it when the model changes incompatibly.
        policy: the policy, or a function that makes it from the app's settings; in place of its fields as keywords.
        upgrades: for each older version, a function from its JSON to that of the next version.
        on_abort: is called with payload, context and failure once it is decided that the job gives up, and before it does: after
            its last attempt, and never before a retry. At least once, so that it must be safe to run twice. What it raises
            is logged, and it is tried again, three times in all; then the job gives up all the same.
        **fields: what differs from the usual `Policy`.

    Raises:
        KindError: the declaration cannot work; it says why.
    """
    if policy is not None and fields:
        raise KindError(f"kind {name}: give a policy, or its fields ({', '.join(fields)}), not both")

    def declare(handler: Handler[P]) -> Kind[P]:
        return Kind(
            name,
            _payload_of(name, handler),
            handler,
            version,
            policy or Policy(**fields),
            dedupe,
            upgrades or {},
            on_abort=on_abort,
        )

    return declare


def _payload_of(name: str, handler: Handler[P]) -> type[P]:
    """The model that a handler's first parameter is annotated with; no other annotation has to exist when it is declared."""
    called = handler.func if isinstance(handler, partial) else handler
    function = inspect.unwrap(called if inspect.isroutine(called) else type(called).__call__)
    first = next(iter(inspect.signature(handler).parameters.values()), None)
    annotation = SimpleNamespace(__annotations__={"payload": first.annotation if first else None})
    try:
        model = get_type_hints(annotation, getattr(function, "__globals__", {}))["payload"]
    except NameError as error:
        raise KindError(f"kind {name}: the annotation of its payload cannot be read: {error}") from None
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        raise KindError(f"kind {name}: its handler's first parameter must be annotated with a pydantic model")
    return cast("type[P]", model)
