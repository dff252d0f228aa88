"""Results of megabytes: a poll tells how they start, and all of them are had by who asks."""

from __future__ import annotations

import pytest

from shared.api.views import MOST_RESULTS
from support.tickets import Desk


async def test_results_of_megabytes_are_polled_in_part_and_had_whole(desk: Desk) -> None:
    """Report 30: a result of 30 million characters."""
    job_id = await desk.ticket("large", payload={"bytes": 30_000_000})
    job = await desk.until(job_id)
    answer = await desk.http.get(f"/api/jobs/{job_id}")
    assert len(answer.content) < 10_000
    assert "results" not in job
    excerpt = job["results_excerpt"]
    assert excerpt["bytes"] == 30_000_000
    assert excerpt["start"] == '"' + "é" * 2047  # 4,096 bytes, but for the half of a character
    assert job["progress"] == {"step": "finished", "completed": 1, "total": 1}
    whole = await desk.http.get(excerpt["url"])
    assert "results_excerpt" not in whole.json()
    assert whole.json()["results"] == "é" * 14_999_999
    listed = (await desk.http.get("/api/jobs", params={"id": job_id})).json()["items"]
    assert [{"results", "results_excerpt"} & set(each) for each in listed] == [set()]
    unchanged = await desk.http.get(f"/api/jobs/{job_id}", headers={"If-None-Match": answer.headers["etag"]})
    assert unchanged.status_code == 304


@pytest.mark.parametrize(("size", "shown"), [(MOST_RESULTS, "results"), (MOST_RESULTS + 1, "results_excerpt")])
async def test_the_bound_is_of_bytes_of_json_and_itself_whole(desk: Desk, size: int, shown: str) -> None:
    waited = await desk.submit("large", {"Prefer": "wait=60"}, payload={"bytes": size})
    assert waited.status_code == 200, waited.text
    polled = await desk.job(waited.json()["job_id"])
    for job in (waited.json(), polled):
        assert {"results", "results_excerpt"} & set(job) == {shown}
    whole = await desk.http.get(f"/api/jobs/{polled['job_id']}", params={"results": "whole"})
    assert len(whole.json()["results"].encode()) + 2 == size


async def test_an_error_and_a_small_result_are_shown_as_they_are(desk: Desk) -> None:
    failed = await desk.until(await desk.ticket("fails", payload={}))
    frames = failed["error"].pop("frames")
    assert [frame["function"] for frame in frames] == ["fails"]
    assert failed["error"] == {"type": "FinalError", "message": "on purpose", "attempt": 1}
    failed["error"]["frames"] = frames
    small = await desk.until(await desk.ticket("echo", payload={"text": "x"}))
    assert small["results"] == {"said": "x", "attempt": 1}
    for job in (failed, small):
        whole = await desk.http.get(f"/api/jobs/{job['job_id']}", params={"results": "whole"})
        assert whole.json() == job


async def test_another_word_than_whole_is_refused(desk: Desk) -> None:
    job_id = await desk.ticket("echo", payload={"text": "x"})
    answer = await desk.http.get(f"/api/jobs/{job_id}", params={"results": "half"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "results")
