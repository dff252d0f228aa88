"""Traces: a request, the jobs that it submitted and their attempts, as one story told by W3C trace context.

The ids of spans are derived from what they are about: the record of a job says everything, so that a trace goes on
through queues, crashes and other instances without anything being kept for it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from shared.jobs.model import Job

_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")


@dataclass(frozen=True, slots=True)
class SpanId:
    """Which span of which trace: 16 and 8 bytes, and whether it is to be recorded."""

    trace: int
    span: int
    sampled: bool = True

    @property
    def traceparent(self) -> str:
        """As a header says it."""
        return f"00-{self.trace:032x}-{self.span:016x}-{int(self.sampled):02x}"


@dataclass(frozen=True, slots=True)
class Span:
    """Something that took time, as a part of a trace."""

    name: str
    kind: Literal["producer", "consumer"]
    id: SpanId
    parent: SpanId | None
    start: datetime
    end: datetime
    attributes: Mapping[str, str | int] = field(default_factory=dict)
    failed: bool = False


def origin(job: Job) -> SpanId | None:
    """The span of the request that submitted the job; None where none was given, or none that can be read."""
    found = _TRACEPARENT.fullmatch(job.trace or "")
    return SpanId(int(found[1], 16), int(found[2], 16), bool(int(found[3], 16) & 1)) if found else None


def submission(job: Job) -> SpanId:
    """The span of the submission."""
    return _span(job, "submission")


def attempt(job: Job, number: int) -> SpanId:
    """The span of an attempt."""
    return _span(job, f"attempt/{number}")


def traceparent(job: Job) -> str:
    """What the present attempt of a job passes on, to be continued by whatever it calls and submits."""
    return (attempt(job, job.attempt) if job.attempt else submission(job)).traceparent


def _span(job: Job, what: str) -> SpanId:
    start = origin(job)
    trace = start.trace if start else _number(job.job_id, 16)
    return SpanId(trace, _number(f"{job.job_id}/{what}", 8), start.sampled if start else True)


def _number(seed: str, size: int) -> int:
    """A number of `size` bytes that is not zero."""
    return int.from_bytes(hashlib.sha256(seed.encode()).digest()[:size], "big") or 1
