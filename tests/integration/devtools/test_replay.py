"""`dev.py replay` over real HTTP: what it asks, what it prints, how it ends."""

import io
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import dev

REPLAYED = {"dead_letter_id": "d1", "outcome": "replayed", "job_id": "j1"}
REFUSED = {"dead_letter_id": "d2", "outcome": "not_failed", "job_id": "j2", "detail": "job j2 is completed"}


class Keyboard(io.StringIO):
    """What somebody types on a terminal."""

    def isatty(self) -> bool:
        return True


class Api(ThreadingHTTPServer):
    """An app that gives the answers it was told to give, and keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, Any, str | None]] = []
        self.answers: list[tuple[int, Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Api

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.path, body, self.headers.get("x-functions-key")))
        self._answer()

    def do_GET(self) -> None:
        self.server.asked.append((self.path, None, self.headers.get("x-functions-key")))
        self._answer()

    def _answer(self) -> None:
        status, answer = self.server.answers.pop(0)
        data = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def api() -> Iterator[Api]:
    with Api() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_one(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    api.answers = [(202, REPLAYED)]
    assert dev.main(["replay", "d1", "--url", api.url, "--key", "k", "--wait", "0"]) == 0
    assert api.asked == [("/api/dead-letters/d1/replay", {"dry_run": False}, "k")]
    assert capsys.readouterr().out == "d1  replayed  job j1\n1 replayed, 0 refused\n"


def test_one_with_an_edited_payload(api: Api, tmp_path: Path) -> None:
    (tmp_path / "edited.json").write_text('{"user_id": "u"}')
    api.answers = [(202, REPLAYED), (200, {"items": [{"job_id": "j1", "status": "completed"}]})]
    assert dev.main(["replay", "d1", "--url", api.url, "--payload", str(tmp_path / "edited.json")]) == 0
    assert api.asked[0][1] == {"dry_run": False, "payload": {"user_id": "u"}}


def test_many_are_those_that_were_counted_however_many_pages_they_fill(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    would = [{**REPLAYED, "outcome": "would_replay"}, REFUSED]
    api.answers = [
        (200, {"results": would[:1], "until": "T", "cursor": "c"}),
        (200, {"results": would[1:], "until": "T", "cursor": None}),
        (200, {"results": [REPLAYED], "until": "T", "cursor": "c"}),
        (200, {"results": [REFUSED], "until": "T", "cursor": None}),
    ]
    said = ["--kind", "taste-analysis", "--since", "2026-03-16T09:00:00Z", "--yes", "--wait", "0"]
    assert dev.main(["replay", *said, "--url", api.url]) == 1
    first = {"kind": "taste-analysis", "since": "2026-03-16T09:00:00Z"}
    snapshot = {**first, "until": "T"}
    assert [body for _, body, _ in api.asked] == [
        {"filter": first, "dry_run": True},
        {"filter": snapshot, "dry_run": True, "cursor": "c"},
        {"filter": snapshot, "dry_run": False},
        {"filter": snapshot, "dry_run": False, "cursor": "c"},
    ]
    assert capsys.readouterr().out == "d2  not failed  job j2  job j2 is completed\n1 replayed, 1 refused\n"


def test_a_dry_run_sends_nothing_and_says_so(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    results = [{"dead_letter_id": "d1", "outcome": "would_replay"}]
    api.answers = [(200, {"results": results, "until": "T", "cursor": None})]
    assert dev.main(["replay", "--dry-run", "--url", api.url]) == 0
    assert api.asked[0][1] == {"filter": {}, "dry_run": True}
    assert capsys.readouterr().out == "1 would be replayed, 0 refused\n"


@pytest.mark.parametrize(("answer", "code", "asked"), [("y\n", 0, 2), ("n\n", 1, 1), ("", 1, 1)])
def test_their_number_is_asked_about_on_a_terminal(
    api: Api, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, answer: str, code: int, asked: int
) -> None:
    would = [{"dead_letter_id": f"d{n}", "outcome": "would_replay"} for n in range(113)]
    did = [{"dead_letter_id": f"d{n}", "outcome": "replayed", "job_id": f"j{n}"} for n in range(113)]
    api.answers = [(200, {"results": each, "until": "T", "cursor": None}) for each in (would, did)]
    monkeypatch.setattr("sys.stdin", Keyboard(answer))
    assert dev.main(["replay", "--url", api.url, "--wait", "0"]) == code
    assert len(api.asked) == asked
    said = capsys.readouterr().out
    assert said.startswith("replay 113 dead letters? [y/N] ")
    assert said.endswith("113 replayed, 0 refused\n" if code == 0 else "nothing was replayed\n")


def test_a_script_has_to_say_yes(api: Api, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    would = [{"dead_letter_id": "d1", "outcome": "would_replay"}]
    api.answers = [(200, {"results": would, "until": "T", "cursor": None})]
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert dev.main(["replay", "--url", api.url]) == 2
    assert len(api.asked) == 1
    assert "1 dead letter would be replayed: say --yes" in capsys.readouterr().err


def test_the_apps_refusal_is_told_in_its_own_words(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    api.answers = [(404, {"title": "Not found", "detail": "there is no dead letter d9"})]
    assert dev.main(["replay", "d9", "--url", api.url]) == 2
    assert capsys.readouterr().err == "dev.py: 404 Not found: there is no dead letter d9\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--url", "http://127.0.0.1:9"], "no answer from http://127.0.0.1:9"),
        (["--payload", "edited.json"], "--payload goes with the ID"),
        (["d1", "--kind", "taste-analysis"], "not both"),
        (["d1", "--payload", "/no/such/file"], "No such file"),
    ],
)
def test_what_cannot_be_asked(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert dev.main(["replay", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_answers_about_effects_go_along(api: Api) -> None:
    api.answers = [(202, REPLAYED)]
    said = ("--effect", "charge:o-17=done", "--effect", 'a=b:1=done:{"receipt": 3}', "--effect", "mail:x=not_done")
    assert dev.main(["replay", "d1", "--url", api.url, "--wait", "0", *said]) == 0
    assert api.asked[0][1]["effects"] == {
        "charge:o-17": {"outcome": "done"},
        "a=b:1": {"outcome": "done", "result": {"receipt": 3}},
        "mail:x": {"outcome": "not_done"},
    }


@pytest.mark.parametrize("said", ["charge", "charge=perhaps", "=done", "charge=done:{"])
def test_an_answer_that_is_none_is_refused(api: Api, capsys: pytest.CaptureFixture[str], said: str) -> None:
    assert dev.main(["replay", "d1", "--url", api.url, "--effect", said]) == 2
    assert "--effect" in capsys.readouterr().err
    assert api.asked == []
