"""The engine of durable jobs. A domain declares its kinds with `kind`, `Policy`, `Dedupe` and `JobContext`."""

from shared.jobs.context import JobContext
from shared.jobs.kinds import Dedupe, Kind, Policy, kind
from shared.jobs.model import Priority

__all__ = ["Dedupe", "JobContext", "Kind", "Policy", "Priority", "kind"]
