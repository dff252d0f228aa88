"""The engine's log."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.jobs.model import Job

LOG = logging.getLogger("nightshift.jobs")


def about(job: Job) -> str:
    """Which job, and which attempt, a line of the log is about."""
    return f"job={job.job_id} kind={job.kind} attempt={job.attempt}"
