"""The route's contract: a ticket, and how it stands, over the real engine."""

from __future__ import annotations

import json
import re
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import TypeAdapter

from shared.domains.collect import api as summarywomble
from shared.domains.collect.replies import TicketReply, read_reply
from shared.domains.collect.views import CollectionView
from shared.jobs.errors import JobNotFoundError
from shared.web.answers import Answer, Problem
from support.calls import API_URL, call
from support.lab import Lab
from support.sites import Site

API = API_URL
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


async def post(lab: Lab, body: Any) -> Answer:
    return await summarywomble.summary_womble(lab.app, call(json.dumps(body).encode()))


async def view(lab: Lab, job_id: str) -> dict[str, Any]:
    answer = await post(lab, {"action": "status", "job_id": job_id})
    assert answer.status == 200
    content = json.loads(answer.body)
    TypeAdapter(CollectionView).validate_python(content)
    return dict(content)


async def test_a_collection_from_ticket_to_results(lab: Lab, site: Site) -> None:
    for name in ("technology", "programming"):
        site.subreddit(name, 12)
    answer = await post(lab, {"source": "reddit", "topics": ["technology", "programming"], "limit": 10})
    ticket = json.loads(answer.body)
    job_id = ticket["job_id"]
    assert answer.status == 202
    assert answer.headers["Location"] == f"{API}/jobs/{job_id}"
    assert UUID(job_id)
    assert MOMENT.fullmatch(ticket.pop("timestamp"))
    assert ticket == {
        "job_id": job_id,
        "status": "queued",
        "message": "Content processing started. Use job_id to check status.",
        "status_check_example": {
            "method": "POST",
            "url": f"{API}/summarywomble",
            "body": {"action": "status", "job_id": job_id},
        },
    }
    assert read_reply(ticket) == TicketReply(job_id, "queued")
    queued = await view(lab, job_id)
    assert MOMENT.fullmatch(queued.pop("updated_at"))
    assert queued == {"job_id": job_id, "status": "queued"}
    await lab.pump()
    done = await view(lab, job_id)
    assert set(done) == {"job_id", "status", "updated_at", "progress", "results"}
    assert done["status"] == "completed"
    assert done["progress"] == {"step": "finished", "completed": 2, "total": 2}
    assert (done["results"]["total_topics"], done["results"]["total_subreddits"]) == (20, 2)
    assert await lab.blobs.read(f"jobs/{job_id}/status.json")


async def test_a_collection_that_fails_says_why(lab: Lab) -> None:
    ticket = json.loads((await post(lab, {"source": "reddit", "topics": ["nowhere"]})).body)
    await lab.pump()
    failed = await view(lab, ticket["job_id"])
    assert set(failed) == {"job_id", "status", "updated_at", "progress", "error"}
    assert (failed["status"], failed["error"]) == ("failed", "nowhere: not-served: the server answered 404")


@pytest.mark.parametrize(
    ("body", "status", "fields"),
    [
        ({}, 422, {"source", "topics"}),
        ({"source": "reddit"}, 422, {"topics"}),
        ({"source": "reddit", "topics": ["a/b"]}, 422, {"topics"}),
        ({"source": "rss", "topics": ["technology"]}, 422, {"topics"}),
        ({"source": "fax", "topics": ["technology"], "limit": 1000, "x": 1}, 422, {"source", "limit", "x"}),
        ({"action": "status"}, 422, {"job_id"}),
        ({"action": "stop", "job_id": str(uuid4())}, 422, {"action"}),
        ({"action": ["status"]}, 422, {"action", "job_id"}),
        ({"action": "status", "job_id": 7}, 422, {"job_id"}),
        ({"action": "status", "job_id": "7"}, 400, {"job_id"}),
        (["reddit"], 400, set()),
    ],
)
async def test_a_body_that_does_not_fit_makes_no_job(lab: Lab, body: Any, status: int, fields: set[str]) -> None:
    with pytest.raises(Problem) as caught:
        await post(lab, body)
    assert caught.value.status == status
    assert {problem.field for problem in caught.value.errors} == fields
    assert [info async for info in lab.blobs.list("jobs/")] == []


async def test_a_job_that_does_not_exist(lab: Lab) -> None:
    with pytest.raises(JobNotFoundError):
        await post(lab, {"action": "status", "job_id": str(uuid4())})
