"""Reading an app's functions as the worker does, and refusing what it refuses."""

from __future__ import annotations

from pathlib import Path

import azure.functions as func
import pytest
from azure.functions import meta

from devhost.host import Host
from devhost.index import IndexingError, Retry, index, load_app

APP = """
import azure.functions as func
app = func.FunctionApp()

@app.timer_trigger("timer", schedule="0 0 3 * * *")
def nightly(timer: func.TimerRequest) -> None:
    pass
"""


def _write(directory: Path, text: str) -> Path:
    (directory / "function_app.py").write_text(text)
    return directory


def _queue_app(queue: str = "work", connection: str = "AzureWebJobsStorage") -> func.FunctionApp:
    app = func.FunctionApp()

    @app.queue_trigger("message", queue_name=queue, connection=connection)
    async def work(message: func.QueueMessage) -> None: ...

    return app


def test_functions_of_a_directory(tmp_path: Path) -> None:
    functions = index(load_app(_write(tmp_path, APP)), {})
    assert [(function.name, function.kind, function.is_async) for function in functions] == [
        ("nightly", "timerTrigger", False)
    ]


def test_two_apps_in_one_process(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    first.mkdir()
    second.mkdir()
    load_app(_write(first, APP))
    functions = index(load_app(_write(second, APP.replace("nightly", "daily"))), {})
    assert [function.name for function in functions] == ["daily"]


def test_an_exception_at_import_means_no_function(tmp_path: Path) -> None:
    with pytest.raises(IndexingError, match=r"could not be imported: ZeroDivisionError") as caught:
        load_app(_write(tmp_path, "1 / 0"))
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_no_script(tmp_path: Path) -> None:
    with pytest.raises(IndexingError, match=r"no function_app\.py"):
        load_app(tmp_path)


@pytest.mark.parametrize("text", ["x = 1", APP + "other = func.FunctionApp()"])
def test_there_must_be_one_app(tmp_path: Path, text: str) -> None:
    with pytest.raises(IndexingError, match="one FunctionApp"):
        load_app(_write(tmp_path, text))


def test_names_in_bindings_resolve_from_app_settings() -> None:
    (function,) = index(_queue_app("%QUEUE%-%STAGE%"), {"QUEUE": "work", "STAGE": "test"})
    assert function.trigger["queueName"] == "work-test"


def test_a_name_without_a_setting_is_an_error(caplog: pytest.LogCaptureFixture) -> None:
    app = _queue_app("%QUEUE%")
    app.route(route="web")(_answer)
    assert [function.name for function in index(app, {})] == ["_answer"]
    assert "function work is in error, and left out: %QUEUE% does not resolve" in caplog.text


def _answer(req: func.HttpRequest) -> str:
    return ""


def test_an_app_can_be_indexed_twice() -> None:
    app = _queue_app()
    assert [function.name for function in index(app, {})] == [function.name for function in index(app, {})]


def test_a_name_used_twice_is_an_error() -> None:
    app = _queue_app()
    app.register_functions(_blueprint())
    with pytest.raises(IndexingError, match="unique"):
        index(app, {})


def _blueprint() -> func.Blueprint:
    blueprint: func.Blueprint = func.Blueprint()

    @blueprint.timer_trigger("timer", schedule="0 0 3 * * *")
    def work(timer: func.TimerRequest) -> None: ...

    return blueprint


def test_a_function_without_a_trigger_is_an_error() -> None:
    app = func.FunctionApp()

    @app.function_name("idle")
    def idle() -> None: ...

    with pytest.raises(IndexingError, match="idle"):
        index(app, {})


def test_an_unsupported_binding_is_an_error() -> None:
    app = func.FunctionApp()

    @app.blob_trigger("blob", path="a/{name}", connection="AzureWebJobsStorage")
    def on_blob(blob: func.InputStream) -> None: ...

    with pytest.raises(IndexingError, match=r"on_blob.*blobTrigger"):
        index(app, {})


def test_a_signature_that_does_not_fit_is_an_error() -> None:
    app = func.FunctionApp()

    @app.queue_trigger("message", queue_name="work", connection="AzureWebJobsStorage")
    def work(msg: func.QueueMessage) -> None: ...

    with pytest.raises(IndexingError, match=r"\['msg'\].*\['message'\]"):
        index(app, {})


def test_an_annotation_that_does_not_fit_is_an_error() -> None:
    app = func.FunctionApp()

    @app.queue_trigger("message", queue_name="work", connection="AzureWebJobsStorage")
    def work(message: int) -> None: ...

    with pytest.raises(IndexingError, match="annotation of message"):
        index(app, {})


def test_a_retry_policy_is_read() -> None:
    app = func.FunctionApp()

    @app.timer_trigger("timer", schedule="0 0 3 * * *")
    @app.retry(strategy="exponential_backoff", max_retry_count="3", minimum_interval="00:00:01", maximum_interval="00:00:05")  # fmt: skip
    def nightly(timer: func.TimerRequest) -> None: ...

    (function,) = index(app, {})
    assert function.retry == Retry(3, 1.0, 5.0)
    assert [function.retry.delay(number) for number in (1, 2, 3, 4)] == [1.0, 2.0, 4.0, 5.0]


async def test_a_connection_without_a_setting_is_an_error() -> None:
    with pytest.raises(IndexingError, match="work: no app setting Other"):
        await Host(_queue_app(connection="Other"), {}).start()


async def test_a_schedule_that_cannot_be_read_is_an_error() -> None:
    app = func.FunctionApp()

    @app.timer_trigger("timer", schedule="0 0 * * 7")
    def nightly(timer: func.TimerRequest) -> None: ...

    with pytest.raises(IndexingError, match=r"nightly: .*days of the week"):
        await Host(app, {"AzureWebJobsStorage": "UseDevelopmentStorage=true"}).start()


async def test_an_unknown_time_zone_is_an_error() -> None:
    app = func.FunctionApp()
    app.register_functions(_blueprint())
    host = Host(app, {"WEBSITE_TIME_ZONE": "Mars/Olympus", "AzureWebJobsStorage": "UseDevelopmentStorage=true"})
    with pytest.raises(IndexingError, match="WEBSITE_TIME_ZONE"):
        await host.start()


@pytest.mark.parametrize("annotation", [str, bytes])
def test_a_queue_function_may_ask_for_the_plain_body(annotation: type) -> None:
    app = func.FunctionApp()

    async def work(message: object) -> None: ...

    work.__annotations__["message"] = annotation
    app.queue_trigger("message", queue_name="work", connection="AzureWebJobsStorage")(work)
    (function,) = index(app, {})
    broken = {"DequeueCount": meta.Datum("many", "string")}
    assert function.decode(meta.Datum(b"{}", "bytes"), broken) == b"{}"
