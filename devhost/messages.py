"""What a queue function is handed of a message: its body, and the trigger's metadata."""

from __future__ import annotations

import base64
import binascii
import json
import re
import uuid
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from azure.functions import meta
from azure.functions.queue import QueueMessage as TriggerMessage
from azure.storage.queue import QueueMessage

from devhost.index import Function

_METADATA = {
    name.lower(): name
    for name in ("Id", "PopReceipt", "DequeueCount", "InsertionTime", "ExpirationTime", "NextVisibleTime")
}
_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?")
"""What the host's JSON reader takes for a date, and writes anew, as no date that the library can read."""
_WHITE_SPACE = str.maketrans("", "", " \t\r\n")


def by_hand(function: Function, text: str) -> Callable[[], Any]:
    """Return what decodes the argument of a queue function that is run by hand."""
    metadata = {"Id": meta.Datum(str(uuid.uuid4()), "string"), "DequeueCount": meta.Datum(1, "int")}
    return lambda: function.decode(_datum(function, text.encode()), metadata)


def argument(function: Function, body: bytes, message: QueueMessage) -> Any:
    """Make what the function is handed.

    Where the body overwrites nothing, the library's converter would only parse again what the SDK has parsed: at a
    good part of the host's own cost for a message.

    Raises:
        ValueError: for a body that is not UTF-8 where the function wants a string, or metadata that is overwritten by
            what does not fit: its function never runs.
    """
    datum, overwritten = _datum(function, body), _overwritten(function, body)
    if overwritten:
        return function.decode(datum, _metadata(message) | overwritten)
    return TriggerMessage(
        id=message.id,
        body=datum.value,
        dequeue_count=message.dequeue_count,
        expiration_time=message.expires_on,
        insertion_time=message.inserted_on,
        time_next_visible=message.next_visible_on,
        pop_receipt=message.pop_receipt,
    )


def argument_of(function: Function, body: bytes, message: QueueMessage) -> Callable[[], Any]:
    """Return what makes the argument: where it cannot, the invocation fails."""
    return partial(argument, function, body, message)


def from_base64(text: str) -> bytes | None:
    """Decode a message's text; None if it is not Base64."""
    try:
        return base64.b64decode(text.translate(_WHITE_SPACE), validate=True)
    except (binascii.Error, ValueError):
        return None


def _is_binary(function: Function) -> bool:
    return function.trigger.get("dataType") == "BINARY"


def _datum(function: Function, body: bytes) -> meta.Datum:
    return meta.Datum(body, "bytes") if _is_binary(function) else meta.Datum(body.decode(), "string")


def _metadata(message: QueueMessage) -> dict[str, meta.Datum]:
    return {
        "Id": meta.Datum(message.id, "string"),
        "PopReceipt": meta.Datum(message.pop_receipt, "string"),
        "DequeueCount": meta.Datum(message.dequeue_count, "int"),
        "InsertionTime": _moment(message.inserted_on),
        "ExpirationTime": _moment(message.expires_on),
        "NextVisibleTime": _moment(message.next_visible_on),
    }


def _overwritten(function: Function, body: bytes) -> dict[str, meta.Datum]:
    """Return the trigger metadata that the top level of a string's JSON overwrites by names of its own, in any case."""
    if _is_binary(function):
        return {}
    return {
        name: _json_datum(value)
        for key, value in _top_level(body).items()
        if (name := _METADATA.get(key.lower())) and value is not None and not isinstance(value, list)
    }


def _top_level(body: bytes) -> dict[str, Any]:
    if not body.lstrip().startswith(b"{"):
        return {}
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _json_datum(value: Any) -> meta.Datum:
    if isinstance(value, str):
        return meta.Datum(_DATE.sub(r"\2/\3/\1 \4", value) if _DATE.fullmatch(value) else value, "string")
    return meta.Datum(json.dumps(value), "json")


def _moment(value: datetime | None) -> meta.Datum:
    return meta.Datum(value.isoformat() if value else "", "string")
