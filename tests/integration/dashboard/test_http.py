"""What the dashboard is made of, over HTTP: the page and its parts, and what it alone asks for."""

from __future__ import annotations

import re
import uuid
from pathlib import Path

from support.tickets import Desk

FOLDER = Path(__file__).parents[3] / "shared/dashboard"


async def test_the_page_loads_nothing_but_its_own_parts(desk: Desk) -> None:
    page = await desk.http.get("/api/dashboard")
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    policy = dict(each.strip().split(" ", 1) for each in page.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["require-trusted-types-for"] == "'script'"
    assert (page.headers["x-content-type-options"], page.headers["referrer-policy"]) == ("nosniff", "no-referrer")
    assert not re.search(r"\son\w+=|\sstyle=|<style|<script(?! type=\"module\" src=\"dashboard/)|https?://", page.text)
    for address in re.findall(r'(?:src|href)="([^"#]+)"', page.text):
        part = await desk.http.get(f"/api/{address}")
        assert part.status_code == 200, address
        assert part.headers["content-security-policy"] == page.headers["content-security-policy"]
        again = await desk.http.get(f"/api/{address}", headers={"If-None-Match": part.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")


async def test_a_slash_at_the_end_leads_to_the_page(desk: Desk) -> None:
    answer = await desk.http.get("/api/dashboard/", follow_redirects=False)
    assert answer.status_code == 308
    assert answer.next_request is not None
    assert answer.next_request.url.path == "/api/dashboard"


async def test_every_module_is_loaded_at_once_and_served_as_what_it_is(desk: Desk) -> None:
    page = "".join((FOLDER / name).read_text() for name in ("index.html", "docs.html"))
    for path in FOLDER.glob("*.js"):
        assert f'"dashboard/{path.name}"' in page, path.name
        assert (
            (await desk.http.get(f"/api/dashboard/{path.name}")).headers["content-type"].startswith("text/javascript")
        )


def test_text_is_never_put_in_as_markup() -> None:
    for path in FOLDER.glob("*.js"):
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", path.read_text()
        )


async def test_nothing_else_is_served(desk: Desk) -> None:
    for name in ("__init__.py", "..%2Fbootstrap.py", "%2e%2e%2fweb%2fdashboard.py", "none.js", "%00"):
        assert (await desk.http.get(f"/api/dashboard/{name}")).status_code in (400, 404), name


async def test_queues_say_how_they_stand(desk: Desk) -> None:
    await desk.ticket("apart", payload={"text": "waits"})
    answer = await desk.http.get("/api/queues")
    queues = {each["name"]: each for each in answer.json()["items"]}
    assert set(queues) >= {
        f"{desk.prefix}-high",
        desk.prefix,
        f"{desk.prefix}-low",
        f"{desk.prefix}-taste",
        "apart-queue",
    }
    assert queues[f"{desk.prefix}-taste"]["kinds"] == ["taste-analysis"]
    assert queues[f"{desk.prefix}-taste"]["poison"] == {"name": f"{desk.prefix}-taste-poison", "messages": 0}
    assert queues["apart-queue"]["messages"] >= 0


async def test_the_payload_of_a_job_small_or_large(desk: Desk) -> None:
    job_id = await desk.ticket("echo", payload={"text": "hello"})
    answer = await desk.http.get(f"/api/jobs/{job_id}/payload")
    assert answer.json() == {"job_id": job_id, "kind": "echo", "payload_version": 1, "payload": {"text": "hello"}}
    assert answer.headers["cache-control"] == "no-store"
    assert (await desk.http.get(f"/api/jobs/{uuid.uuid4()}/payload")).status_code == 404
    assert (await desk.http.get("/api/jobs/none/payload")).status_code == 400


async def test_dead_letters_are_grouped_by_what_they_look_like(desk: Desk) -> None:
    jobs = [
        await desk.until(await desk.ticket("fails", payload={"until_replays": 500 + n}), "failed") for n in range(3)
    ]
    newest = (await desk.http.get(f"/api/dead-letters/{jobs[-1]['dead_letter_id']}")).json()
    answer = await desk.http.get("/api/dead-letters/groups", params={"kind": "fails"})
    (group,) = answer.json()["items"]
    assert (group["fingerprint"], group["kind"], group["reasons"]) == (newest["fingerprint"], "fails", ["final"])
    assert group["count"] >= 3
    assert group["example_id"] == newest["id"]
    assert group["oldest"] <= group["newest"]
    assert answer.json()["truncated"] is False
    tag = {"If-None-Match": answer.headers["etag"]}
    assert (await desk.http.get("/api/dead-letters/groups", params={"kind": "fails"}, headers=tag)).status_code == 304
    assert (await desk.http.get("/api/dead-letters/groups", params={"kind": "echo"})).json()["items"] == []


async def test_jobs_are_found_by_how_their_id_starts_and_when_they_were_made(desk: Desk) -> None:
    first = await desk.ticket("echo", payload={"text": f"first {uuid.uuid4()}"})
    second = await desk.ticket("echo", payload={"text": f"second {uuid.uuid4()}"})
    for job_id in (first, second):
        await desk.until(job_id)
    made = (await desk.job(second))["created_at"]

    async def found(**params: str) -> list[str]:
        answer = await desk.http.get("/api/jobs", params={"kind": "echo", **params})
        return [each["job_id"] for each in answer.json()["items"]]

    assert await found(id=second) == [second]
    assert second in await found(id=second[:9].upper())
    assert await found(since=made, id=first) == []
    assert await found(until=made, id=second) == []
    assert await found(since=made, id=second) == [second]
    assert await found(until=made, id=first) == [first]
    assert (await desk.http.get("/api/jobs", params={"id": "x'--"})).status_code == 422
