"""`Prefer: wait=N` (RFC 7240): an answer is held until there is a result, or N seconds are over."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.app import App
    from shared.jobs.model import Job
    from shared.storage import Versioned

_WAIT = re.compile(r"(?:^|[,;])\s*wait\s*=\s*\"?(\d{1,9})\"?\s*(?=$|[,;])", re.IGNORECASE)
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0


def wanted(headers: Mapping[str, str], longest: float) -> int:
    """Seconds that a client wants to wait, at most `longest`; 0 where it does not. What cannot be read is ignored."""
    found = _WAIT.search(headers.get("prefer", ""))
    return min(int(found[1]), int(longest)) if found else 0


def applied(seconds: int) -> dict[str, str]:
    """The header that says so."""
    return {"Preference-Applied": f"wait={seconds}"} if seconds else {}


async def until_final(app: App, current: Versioned[Job], seconds: float) -> Versioned[Job]:
    """Look at a job ever less often, one storage call each time, until it has ended or the time is up."""
    end, pause = app.clock.now().timestamp() + seconds, _FIRST_PAUSE
    while not current.value.status.final and (left := end - app.clock.now().timestamp()) > 0:
        await app.clock.sleep(min(pause, left))
        current = await app.engine.get(current.value.job_id)
        pause = min(pause * 1.5, _LONGEST_PAUSE)
    return current
