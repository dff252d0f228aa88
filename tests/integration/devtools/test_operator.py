"""The operator's verbs against the real app over real HTTP: what they print, what they do, how they end."""

from __future__ import annotations

import asyncio
import io
import json
import re
import threading
import uuid
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

import dev
from devtools.operator.api import Api, RefusedError
from devtools.operator.jobs import Watch
from support.azurite import AzuriteProcess
from support.tickets import Desk, open_desk

KEY = "an operator's key of these tests"


class Terminal(io.StringIO):
    """A text stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(scope="module")
async def desk(azurite: AzuriteProcess, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    folder = tmp_path_factory.mktemp("operator")
    name = f"t{uuid.uuid4().hex}"
    async with open_desk(azurite.connection_string, name, folder, NIGHTSHIFT_OPERATOR_KEY=KEY) as opened:
        yield opened


@pytest.fixture
def run(desk: Desk, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Run a verb as an operator; return its exit code, and what it printed."""

    async def run(*arguments: str, key: str = KEY) -> tuple[int, str, str]:
        code = await asyncio.to_thread(dev.main, [*arguments, "--url", desk.app.url, "--key", key])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


async def failed(desk: Desk) -> dict[str, Any]:
    """A job that gave up."""
    return await desk.until(await desk.ticket("fails", payload={}), "failed")


async def test_jobs_are_listed_filtered_and_machine_readable(desk: Desk, run: Any) -> None:
    done = await desk.until(await desk.ticket("echo", payload={"text": f"a {uuid.uuid4()}"}))
    gave_up = await failed(desk)
    code, said, _ = await run("jobs", "--kind", "fails", "--status", "failed")
    assert code == 0
    assert said.splitlines()[0].split() == ["JOB", "KIND", "STATUS", "ATTEMPT", "SUBMITTED", "TOOK", "SAYS"]
    assert gave_up["job_id"] in said
    assert "FinalError: on purpose" in said
    assert done["job_id"] not in said
    code, said, _ = await run("jobs", "--json", "--limit", "1")
    assert code == 0
    assert [job["job_id"] for job in json.loads(said)] == [gave_up["job_id"]]


async def test_a_large_result_is_printed_from_its_start_and_whole_as_json(desk: Desk, run: Any) -> None:
    job_id = await desk.ticket("large", payload={"bytes": 300_000})
    await desk.until(job_id)
    code, said, _ = await run("job", job_id)
    assert code == 0
    assert "results      300000 bytes, the whole of which --json prints; they begin:" in said
    assert len(said) < 5000
    assert len(json.loads((await run("job", job_id, "--json"))[1])["results"].encode()) == 299_998


async def test_a_job_is_submitted_and_may_be_watched(desk: Desk, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    key = job_key()
    code, said, _ = await run("submit", "echo", '{"text": "hello"}', "--dedupe-key", key)
    assert code == 0
    job_id = said.split()[1]
    assert said == f"job {job_id}  queued\nwatch it: dev.py job {job_id} --watch\n"
    assert (await desk.until(job_id))["status"] == "completed"
    monkeypatch.setattr("sys.stdin", io.StringIO('{"text": "again"}'))
    code, said, _ = await run("submit", "echo", "-", "--dedupe-key", key)
    assert (code, said.splitlines()[0]) == (0, f"job {job_id}  completed  (the first ticket)")
    code, said, _ = await run("submit", "echo", '{"text": "x"}', "--dedupe-key", job_key(), "--watch", "--json")
    assert (code, json.loads(said[said.index("\n{") :])["status"]) == (0, "completed")
    assert (await run("submit", "fails", "{}", "--watch"))[0] == 1


@pytest.mark.parametrize(
    ("kind", "payload", "why"),
    [("echo", "{", "the payload is no JSON"), ("echo", "[]", "must be a JSON object"), ("nobody", "{}", "404"),
     ("echo", '{"text": 1}', "payload.text")],
)  # fmt: skip
async def test_what_cannot_be_submitted_is_told(run: Any, kind: str, payload: str, why: str) -> None:
    code, said, error = await run("submit", kind, payload)
    assert (code, said) == (2, "")
    assert why in error


async def test_kinds_are_listed(desk: Desk, run: Any) -> None:
    code, said, _ = await run("kinds")
    assert code == 0
    assert said.splitlines()[0].split() == ["KIND", "PUBLIC", "QUEUE", "VERSION", "ATTEMPTS", "TIMEOUT", "PAUSED"]
    (echo,) = [line for line in said.splitlines() if line.startswith("echo ")]
    assert echo.split()[1] == "yes"
    found = json.loads((await run("kinds", "--json"))[1])
    assert found == (await desk.http.get("/api/kinds")).json()["items"]


@pytest.mark.parametrize(("kind", "payload", "code"), [("echo", {"text": "b"}, 0), ("fails", {}, 1)])
async def test_a_watched_job_is_followed_to_its_end(
    desk: Desk, run: Any, kind: str, payload: dict[str, Any], code: int
) -> None:
    job_id = await desk.ticket(kind, payload=payload, **({"dedupe_key": job_key()} if kind == "echo" else {}))
    ended, said, _ = await run("job", job_id, "--watch", "--interval", "0.05")
    assert ended == code
    assert "submitted (attempt 0)" in said
    assert said.count("claimed (attempt 1)") == 1
    assert f"status       {'completed' if code == 0 else 'failed'}" in said


def job_key() -> str:
    return uuid.uuid4().hex


async def test_a_cancelled_job_has_a_code_of_its_own_and_a_waiting_one_says_why(desk: Desk, run: Any) -> None:
    job_id = await desk.ticket("steps", payload={"steps": 500, "seconds": 0.05})
    await desk.until(job_id, "running")
    code, said, _ = await run("job", job_id)
    assert code == 4
    assert "status       running" in said
    assert "why " in said
    answer = await desk.http.post(f"/api/jobs/{job_id}/cancel", headers={"x-functions-key": KEY})
    assert answer.status_code == 202
    assert (await run("job", job_id, "--watch", "--interval", "0.05"))[0] == 3
    assert json.loads((await run("job", job_id, "--json"))[1])["status"] == "cancelled"


async def test_on_a_terminal_a_bar_moves(desk: Desk) -> None:
    job_id = await desk.ticket("steps", payload={"steps": 6, "seconds": 0.1})
    out = Terminal()
    job = await asyncio.to_thread(Watch(Api(desk.app.url, KEY), job_id, out, 0.05).until_ended)
    assert job["status"] == "completed"
    drawn = out.getvalue().split("\r\x1b[2K")
    assert any("[####" in line and "3/6" in line and "step 4" in line for line in drawn)
    assert any("to go" in line for line in drawn)
    assert drawn[-1] == ""  # the last thing done is to wipe the line


async def test_dead_letters_by_fingerprint_one_by_one_and_whole(desk: Desk, run: Any) -> None:
    job = await failed(desk)
    code, said, _ = await run("dead-letters", "--kind", "fails")
    assert code == 0
    assert "FinalError: on purpose" in said
    (group,) = json.loads((await run("dead-letters", "--kind", "fails", "--json"))[1])["items"]
    assert group["count"] >= 1
    code, said, _ = await run("dead-letters", "--list", "--fingerprint", group["fingerprint"])
    assert job["dead_letter_id"] in said
    assert "  open  " in said
    code, said, _ = await run("dead-letters", job["dead_letter_id"])
    assert (code, said.splitlines()[:2]) == (0, [f"dead letter  {job['dead_letter_id']}", "state        open"])
    code, said, _ = await run("dead-letters", job["dead_letter_id"], "--json")
    assert json.loads(said)["payload"] == {"until_replays": 1000}


async def test_a_dead_letter_is_discarded_by_who_has_the_key(desk: Desk, run: Any) -> None:
    job = await failed(desk)
    letter = job["dead_letter_id"]
    assert "--reason" in (await run("discard", letter))[2]
    code, said, _ = await run("discard", letter, "--reason", "a test run")
    assert (code, said) == (0, f"{letter}  discarded by operator key\n")
    assert letter not in (await run("dead-letters", "--list", "--kind", "fails"))[1]
    line = next(each for each in (await run("dead-letters", "--list", "--all"))[1].splitlines() if letter in each)
    assert "discarded" in line
    assert "discarded (attempt 1)  operator key" in (await run("job", job["job_id"]))[1]


async def test_replaying_all_replays_each_once_and_tells_how_many_failed_again(desk: Desk, run: Any) -> None:
    began = datetime.now(UTC).isoformat()
    tickets = [await desk.ticket("fails", payload={"until_replays": 1 if n < 2 else 1000}) for n in range(6)]
    for ticket in tickets:
        await desk.until(ticket, "failed")
    code, said, _ = await run("replay", "--kind", "fails", "--since", began, "--yes", "--wait", "60")
    assert code == 1
    assert said.splitlines()[0] == "6 replayed, 0 refused"
    assert re.fullmatch(r"after .+: 2 completed, 4 failed again; they have new dead letters: .+", said.splitlines()[1])
    jobs = [await desk.job(ticket) for ticket in tickets]
    assert [job["replays"] for job in jobs] == [1] * 6
    found = json.loads((await run("replay", "--kind", "fails", "--since", began, "--yes", "--json"))[1])
    assert (len(found["results"]), found["after"]["failed_again"], found["after"]["not_ended"]) == (4, 4, 0)


async def test_a_replay_is_recorded_with_who_did_it(desk: Desk, run: Any) -> None:
    job = await desk.until(await desk.ticket("fails", payload={"until_replays": 1}), "failed")
    code, said, _ = await run("replay", job["dead_letter_id"], "--wait", "0")
    assert (code, said.splitlines()[-1]) == (0, "1 replayed, 0 refused")
    await desk.until(job["job_id"], "completed")
    assert "replayed (attempt 1)  operator key" in (await run("job", job["job_id"]))[1]


async def test_a_failure_says_where_it_was_raised(desk: Desk, run: Any) -> None:
    job = await failed(desk)
    for arguments in (("job", job["job_id"]), ("dead-letters", job["dead_letter_id"])):
        said = (await run(*arguments))[1]
        assert re.search(r"error +FinalError: on purpose\n +at tests/support/ticket_app.py:\d+ in fails", said), said


async def test_jobs_are_cancelled_and_retried_each_for_itself(desk: Desk, run: Any) -> None:
    going = await desk.ticket("steps", payload={"steps": 600, "seconds": 0.1})
    await desk.until(going, "running")
    over = await failed(desk)
    code, said, error = await run("cancel", going, over["job_id"])
    assert (code, said) == (1, f"{going}  running, to be cancelled at its next checkpoint\n")
    assert "a failed job cannot be cancelled" in error
    assert (await desk.until(going))["status"] == "cancelled"
    code, said, _ = await run("retry", over["job_id"], "--json")
    assert (code, json.loads(said)[0]["job_id"]) == (0, over["job_id"])
    assert (await desk.until(over["job_id"], "failed"))["kind"] == "fails"


async def test_a_kind_is_paused_and_resumed_and_why_says_so(desk: Desk, run: Any) -> None:
    assert (await run("pause", "echo", "--reason", "a look at it"))[:2] == (0, "echo  paused\n")
    job_id = await desk.ticket("echo", payload={"text": "waits"}, dedupe_key=job_key())
    code, said, _ = await run("why", job_id)
    assert (code, said.splitlines()[0]) == (0, "echo queued")
    assert "paused" in said
    assert (await run("resume", "echo"))[:2] == (0, "echo  not paused\n")
    await desk.until(job_id, "completed")
    assert json.loads((await run("why", job_id, "--json"))[1])["status"] == "completed"


async def test_queues_alarms_and_what_goes_on(desk: Desk, run: Any) -> None:
    await failed(desk)
    code, said, _ = await run("queues")
    assert (code, said.split()[:2]) == (0, ["QUEUE", "MESSAGES"])
    assert f"{desk.prefix}-taste" in said
    code, said, _ = await run("alarms", "--json")
    assert code == (1 if any(each["state"] == "on" for each in json.loads(said)) else 0)
    assert "queue-stuck" in (await run("alarms"))[1]
    code, said, _ = await run("top")
    assert code == 0
    assert {"queues", "dead letters that are open", "by the hour"} <= set(said.splitlines())
    assert json.loads((await run("top", "--json"))[1])["dead_letters"]


async def test_without_the_operators_key_nothing_is_done(desk: Desk, run: Any) -> None:
    job = await failed(desk)
    for arguments in (("replay", job["dead_letter_id"]), ("drain",), ("timers", "RefreshTastePrior", "--run")):
        code, _, said = await run(*arguments, key="a client's key")
        assert (code, "403 Not an operator" in said) == (2, True)


async def test_timers_their_occurrences_and_a_run_by_hand(desk: Desk, run: Any) -> None:
    code, said, _ = await run("timers", "--json")
    known = json.loads(said)
    assert code == (0 if all(timer["healthy"] for timer in known) else 1)
    said = (await run("timers"))[1]
    assert said.splitlines()[0].split() == ["TIMER", "SCHEDULE", "LAST", "NEXT", "LATE", "MISSED", "HEALTH"]
    assert all(timer["name"] in said for timer in known)
    code, said, _ = await run("timers", "RefreshTastePrior", "--run")
    assert code == 0
    job_id = said.split()[1]
    await desk.until(job_id)
    assert job_id in (await run("timers", "RefreshTastePrior"))[1]
    code, _, said = await run("timers", "RefreshTastePrior", "--run", "--scheduled-for", "2031-01-01T00:00:00Z")
    assert (code, "422" in said) == (2, True)
    assert "--run goes with the NAME" in (await run("timers", "--run"))[2]


async def test_a_drained_app_starts_nothing_until_it_is_let_go_on(desk: Desk, run: Any) -> None:
    await desk.http.post("/api/kinds/inner/pause", json={"reason": "mine"}, headers={"x-functions-key": KEY})
    code, said, _ = await run("drain", "--quiet", "0.3", "--interval", "0.1", "--timeout", "30")
    assert code == 0
    assert "nothing runs;" in said
    job_id = await desk.ticket("echo", payload={"text": "later"}, dedupe_key=job_key())
    assert "paused" in (await desk.explain(job_id))["summary"]
    code, said, _ = await run("drain", "--quiet", "30", "--interval", "0.1", "--timeout", "0.3")
    assert code == 1
    assert "something may still run" in said  # nothing was seen to run, for less long than it takes to know
    code, said, _ = await run("drain", "--resume")
    assert code == 0
    assert "still paused: inner" in said
    kinds = (await desk.http.get("/api/kinds")).json()["items"]
    assert [kind["kind"] for kind in kinds if kind["paused"]] == ["inner"]


async def test_a_drain_says_what_still_runs_when_the_time_is_up(desk: Desk, run: Any) -> None:
    job_id = await desk.ticket("steps", payload={"steps": 600, "seconds": 0.1})
    await desk.until(job_id, "running")
    while job_id not in (await run("jobs", "--status", "running"))[1]:
        pass  # until the index tells of it
    code, said, _ = await run("drain", "--timeout", "0.3", "--interval", "0.1")
    await run("drain", "--resume")
    await desk.http.post(f"/api/jobs/{job_id}/cancel", headers={"x-functions-key": KEY})
    assert code == 1
    assert f"{job_id}  steps" in said


def test_a_key_goes_neither_over_plain_http_nor_to_wherever_an_answer_points() -> None:
    with pytest.raises(RefusedError, match="https"):
        Api("http://example.org", KEY)
    with pytest.raises(RefusedError, match="http or https"):
        Api("file:///etc/passwd", None)

    class Elsewhere(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(302)
            self.send_header("Location", f"http://127.0.0.1:{server.server_port}/stolen")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    asked: list[str] = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        with pytest.raises(RefusedError, match="302"):
            Api(f"http://127.0.0.1:{server.server_port}", KEY).get("kinds")
        server.shutdown()
        thread.join()
    assert asked == ["/api/kinds"]


@pytest.mark.parametrize("verb", ["jobs", "timers", "drain", "dead-letters"])
def test_an_app_that_is_not_there(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert dev.main([verb, "--url", "http://127.0.0.1:9"]) == 2
    assert "no answer from http://127.0.0.1:9" in capsys.readouterr().err
