"""`dev.py replay` over real HTTP: what it asks, what it prints, how it ends."""

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
    assert dev.main(["replay", "d1", "--url", api.url, "--key", "k"]) == 0
    assert api.asked == [("/api/dead-letters/d1/replay", {"dry_run": False}, "k")]
    assert capsys.readouterr().out == "d1  replayed  job j1\n1 replayed, 0 refused\n"


def test_one_with_an_edited_payload(api: Api, tmp_path: Path) -> None:
    (tmp_path / "edited.json").write_text('{"user_id": "u"}')
    api.answers = [(202, REPLAYED)]
    assert dev.main(["replay", "d1", "--url", api.url, "--payload", str(tmp_path / "edited.json")]) == 0
    assert api.asked[0][1] == {"dry_run": False, "payload": {"user_id": "u"}}


def test_by_filter_until_there_are_no_more(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    api.answers = [(200, {"results": [REPLAYED], "more": True}), (200, {"results": [REPLAYED, REFUSED], "more": False})]
    assert dev.main(["replay", "--kind", "taste-analysis", "--since", "2026-03-16T09:00:00Z", "--url", api.url]) == 1
    wanted = {"filter": {"kind": "taste-analysis", "since": "2026-03-16T09:00:00Z"}, "dry_run": False}
    assert [body for _, body, _ in api.asked] == [wanted, wanted]
    assert capsys.readouterr().out.endswith("d2  not failed  job j2  job j2 is completed\n2 replayed, 1 refused\n")


def test_it_ends_where_nothing_more_can_be_replayed(api: Api) -> None:
    api.answers = [(200, {"results": [REFUSED], "more": True})]
    assert dev.main(["replay", "--url", api.url]) == 1
    assert len(api.asked) == 1


def test_a_dry_run_sends_nothing_and_says_so(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    api.answers = [(200, {"results": [{"dead_letter_id": "d1", "outcome": "would_replay"}], "more": True})]
    assert dev.main(["replay", "--dry-run", "--url", api.url]) == 0
    assert api.asked[0][1] == {"filter": {}, "dry_run": True}
    assert capsys.readouterr().out == "d1  would replay\n1 would be replayed, 0 refused, and there are more\n"


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
