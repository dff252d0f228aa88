"""Steps and effects over HTTP: shown, explained, and answered for in a replay."""

from __future__ import annotations

from support.tickets import Desk


async def test_the_question_of_an_effect_is_answered_by_the_replay(desk: Desk) -> None:
    job_id = await desk.ticket("pays", payload={"text": "b 7"})
    failed = await desk.until(job_id)
    assert (failed["error"]["type"], failed["attempt"]) == ("UncertainError", 2)
    shown = (await desk.http.get(f"/api/jobs/{job_id}/steps")).json()
    assert [(item["name"], item["what"], item["state"], item["attempt"]) for item in shown["items"]] == [
        ("the/bill 1", "step", "done", 1),
        ("pay:b 7", "effect", "begun", 1),
    ]
    reasons = (await desk.explain(job_id))["reasons"]
    assert [reason["code"] for reason in reasons] == ["failed", "effect_unknown", "steps"]
    assert "pay:b 7" in reasons[1]["advice"]

    url = f"/api/dead-letters/{failed['dead_letter_id']}"
    assert (await desk.http.get(url)).json()["reason"] == "uncertain"
    refused = await desk.http.post(f"{url}/replay", json={"effects": {"pay:b 8": {"outcome": "done"}}})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "effects.pay:b 8"
    refused = await desk.http.post(f"{url}/replay", json={"effects": {"pay:b 7": {"outcome": "perhaps"}}})
    assert refused.status_code == 422
    taken = await desk.http.post(
        f"{url}/replay", json={"effects": {"pay:b 7": {"outcome": "done", "result": {"receipt": 3}}}}
    )
    assert taken.status_code == 202
    done = await desk.until(job_id, "completed")
    assert done["results"] == [{"bill": "b 7"}, {"receipt": 3}]


async def test_a_job_without_steps_shows_none(desk: Desk) -> None:
    job_id = await desk.ticket("echo", payload={"text": "no steps"})
    await desk.until(job_id)
    assert (await desk.http.get(f"/api/jobs/{job_id}/steps")).json() == {"job_id": job_id, "items": []}
