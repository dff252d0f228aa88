"""What a queue function is handed is what the library's own converter makes of a message."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import azure.functions as func
import pytest
from azure.storage.queue import QueueMessage

from devhost.index import Function, index
from devhost.messages import _datum, _metadata, argument

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
@pytest.mark.parametrize("body", [b"", b"text", b'{"a": 1}', b"[1]", b"{broken", b"\xc3\xbc"])
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
        ("id", "2001-02-03T04:05:06Z", "id", "02/03/2001 04:05:06"),
    ],
)
def test_a_top_level_name_overwrites_the_metadata(key: str, value: Any, name: str, expected: Any) -> None:
    handed = argument(_function(), json.dumps({key: value}).encode(), _message())
    assert getattr(handed, name) == expected
    unchanged = {field: value for field, value in _values(handed).items() if field not in (name, "body")}
    assert unchanged == {
        field: value for field, value in _values(argument(_function(), b"", _message())).items() if field in unchanged
    }


@pytest.mark.parametrize("key", ["insertionTime", "expirationtime", "NextVisibleTime"])
def test_a_date_comes_so_that_nothing_can_read_it(key: str) -> None:
    with pytest.raises(ValueError, match="02/03/2001 04:05:06"):
        argument(_function(), json.dumps({key: "2001-02-03T04:05:06Z"}).encode(), _message())


def test_bytes_overwrite_nothing() -> None:
    handed = argument(_function(func.DataType.BINARY), b'{"id": "mine", "dequeueCount": "many"}', _message())
    assert (handed.id, handed.dequeue_count) == ("an-id", 2)


def test_a_string_that_is_no_utf8_is_not_handed_over() -> None:
    with pytest.raises(UnicodeDecodeError):
        argument(_function(), b"\xff\xfe", _message())
    assert argument(_function(func.DataType.BINARY), b"\xff\xfe", _message()).get_body() == b"\xff\xfe"


@pytest.mark.parametrize("content", [{"id": None}, {"id": [1]}, {"nested": {"id": "x"}}, ["id"]])
def test_null_arrays_and_nested_names_overwrite_nothing(content: Any) -> None:
    assert argument(_function(), json.dumps(content).encode(), _message()).id == "an-id"
