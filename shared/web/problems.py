"""The types of problems (RFC 9457): what each title stands for, and what to do about it. Each has a page at its address.

A title that is not here is of no type of its own (`about:blank`): it says no more than its status.
"""

from __future__ import annotations

from typing import NamedTuple

ADDRESS = "/api/problems/"
"""Where the pages are, below the app's own address: what `type` begins with."""


class ProblemType(NamedTuple):
    """What answers with one title have in common."""

    status: int
    title: str
    meaning: str
    advice: str

    @property
    def name(self) -> str:
        """The last part of its address."""
        return name_of(self.title)


def name_of(title: str) -> str:
    """What a title is called in an address: `Not found` is `not-found`."""
    return title.lower().replace(" ", "-")


def type_of(title: str) -> str:
    """The `type` of a problem with this title."""
    return f"{ADDRESS}{name_of(title)}" if name_of(title) in TYPES else "about:blank"


_ALL = (
    ProblemType(
        400, "Not JSON", "The body is not JSON in UTF-8. `detail` says where it stops being so.",
        "Send JSON, with nothing before or after it; `NaN` and `Infinity` are no JSON.",
    ),
    ProblemType(
        400, "Not an object", "The body is JSON, but no object.",
        "Send an object: `{...}`.",
    ),
    ProblemType(
        400, "Not a UUID", "An id in the address is no UUID.",
        "Take the id as the app gave it: 32 hexadecimal digits in groups of 8, 4, 4, 4 and 12.",
    ),
    ProblemType(
        400, "Not an idempotency key", "The header `Idempotency-Key` has no key that can be kept.",
        "Send 1 to 255 characters of ASCII, with or without double quotes around them.",
    ),
    ProblemType(
        403, "Not an operator", "The caller may read and submit, but this is for operators. `detail` says who is one here.",
        "Send the operator's key as `x-functions-key`, or sign in with the operator's role.",
    ),
    ProblemType(
        404, "Not found", "There is no such thing, or there is not any more: what has ended is deleted after its time.",
        "Look for another id, or for how long things are kept (docs/explanation/retention.md).",
    ),
    ProblemType(
        409, "Conflict", "The state in which the thing is does not allow this. `detail` says which state that is.",
        "Read it again, and decide again. The same request would be refused again.",
    ),
    ProblemType(
        409, "Nothing to replay", "The job of this dead letter is not failed (any more), or failed anew with another dead letter.",
        "Look at the job: `detail` names it.",
    ),
    ProblemType(
        409, "Still in flight", "A request with the same `Idempotency-Key` has come before, and is still being answered.",
        "Ask again after `Retry-After` seconds: the answer will be that of the first request.",
    ),
    ProblemType(
        411, "Length required", "The body came without `Content-Length`, and so the host did not read it.",
        "Send it with `Content-Length`, not chunked (`Transfer-Encoding`).",
    ),
    ProblemType(
        412, "Precondition failed", "The thing has changed since it was read: its ETag is not that of `If-Match`.",
        "Read it again, and decide again.",
    ),
    ProblemType(
        413, "Content too large", "The body has more bytes than this route takes. `detail` says how many those are.",
        "Send less; put what is large where the job can fetch it, and send its address.",
    ),
    ProblemType(
        422, "Invalid input", "The request can be read, but something in it does not fit. `errors` names each field, and what was expected.",
        "Mend these fields. A parameter that the route does not take, and a `cursor` that no page gave, are among what does not fit.",
    ),
    ProblemType(
        422, "The payload does not fit", "The payload of a dead letter is not what its kind takes. `errors` names each field.",
        "Replay it with an edited payload; a dry run says whether that fits.",
    ),
    ProblemType(
        422, "Idempotency key reused", "The same `Idempotency-Key` came before with another body.",
        "Use a key of its own for each thing that is to be done.",
    ),
    ProblemType(
        429, "Too many requests", "This caller asks more often than one instance answers. `Retry-After` says when to ask again.",
        "Ask less often; poll a job no sooner than its `Retry-After` says. The limits are settings (`RATE_*`).",
    ),
    ProblemType(
        500, "Internal error", "The app failed in a way that it does not know. Its log has the kind of error and the place, and nothing of the request.",
        "Ask again once; if it stays so, look into the app's log.",
    ),
    ProblemType(
        503, "Storage does not answer", "The storage account or the database could not be reached. Nothing was lost: what was answered with a ticket is kept.",
        "Ask again after `Retry-After` seconds. With an `Idempotency-Key` that is safe for what makes something, too.",
    ),
    ProblemType(
        503, "A part of the app cannot be loaded", "A module that this route needs cannot be imported. `detail` names it.",
        "Install what it needs, and deploy again.",
    ),
)  # fmt: skip
TYPES = {each.name: each for each in _ALL}
"""Every type, by its name."""
