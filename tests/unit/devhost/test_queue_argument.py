"""What a queue function is handed is what the library's own converter makes of a message."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import azure.functions as func
import pytest
from azure.storage.queue import QueueMessage

from devhost.index import Function, index
from devhost.queues import _datum, _metadata, argument

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
FIELDS = ("id", "pop_receipt", "dequeue_count", "insertion_time", "expiration_time", "time_next_visible")


def _function(data_type: func.decorators.core.DataType | None = None) -> Function:
    app = func.FunctionApp()

    @app.queue_trigger("message", queue_name="work", connection="AzureWebJobsStorage", data_type=data_type)
    async def work(message: func.QueueMessage) -> None: ...

    return index(app, {})[0]


def _message() -> QueueMessage:
    message = QueueMessage(content="")
    message.id, message.pop_receipt, message.dequeue_count = "an-id", "a-receipt", 2
    message.inserted_on, message.expires_on = NOW, NOW + timedelta(days=7)
    message.next_visible_on = NOW + timedelta(minutes=10)
    return message


def _values(message: Any) -> dict[str, Any]:
    return {name: getattr(message, name) for name in FIELDS} | {"body": message.get_body()}


@pytest.mark.parametrize("data_type", [None, func.DataType.BINARY])
@pytest.mark.parametrize("body", [b"", b"text", b'{"a": 1}', b"[1]", b"{broken", b"\xff\xfe"])
def test_it_equals_what_the_converter_makes(data_type: Any, body: bytes) -> None:
    function, message = _function(data_type), _message()
    expected = function.decode(_datum(function, body), _metadata(message))
    assert _values(argument(function, body, message)) == _values(expected)


@pytest.mark.parametrize(
    ("key", "value", "name", "expected"),
    [
        ("id", "mine", "id", "mine"),
        ("Id", 7, "id", "7"),
        ("POPRECEIPT", True, "pop_receipt", "True"),
        ("dequeueCount", "9", "dequeue_count", 9),
        ("insertionTime", "2001-02-03T04:05:06Z", "insertion_time", datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)),
        ("expirationtime", "2001-02-03T04:05:06Z", "expiration_time", datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)),
        ("NextVisibleTime", "2001-02-03T04:05:06Z", "time_next_visible", datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)),
    ],
)
def test_a_top_level_name_overwrites_the_metadata(key: str, value: Any, name: str, expected: Any) -> None:
    handed = argument(_function(), json.dumps({key: value}).encode(), _message())
    assert getattr(handed, name) == expected
    unchanged = {field: value for field, value in _values(handed).items() if field not in (name, "body")}
    assert unchanged == {
        field: value for field, value in _values(argument(_function(), b"", _message())).items() if field in unchanged
    }


@pytest.mark.parametrize("content", [{"id": None}, {"id": [1]}, {"nested": {"id": "x"}}, ["id"]])
def test_null_arrays_and_nested_names_overwrite_nothing(content: Any) -> None:
    assert argument(_function(), json.dumps(content).encode(), _message()).id == "an-id"
