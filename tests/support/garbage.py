"""What may lie on a queue and is no job of this app."""

from __future__ import annotations

import base64
import json
from typing import Any

JOB_ID = "01a20266-6806-72a8-822d-9c048db10d4c"


def _envelope(**changes: Any) -> bytes:
    content = {
        "nightshift": 1, "kind": "work", "job_id": JOB_ID, "payload_version": 1, "payload": {"n": 1},
        "sent_at": "2026-01-01T00:00:00Z", **changes,
    }  # fmt: skip
    return json.dumps(content).encode()


BODIES: dict[str, bytes] = {
    "empty": b"",
    "not UTF-8": b'{"kind": "\xff\xfe"}',
    "not JSON": b"{kind: work",
    "a list": b"[1, 2, 3]",
    "a string": b'"hello"',
    "null": b"null",
    "another shape": b'{"hello": "world"}',
    "deep nesting": b'{"a":' * 5000 + b"1" + b"}" * 5000,
    "64 KiB": b"x" * 49152,
    "64 KiB of JSON": b'{"x":"' + b"y" * 49144 + b'"}',
    "unknown kind": _envelope(kind="unheard-of"),
    "newer payload": _envelope(payload_version=99),
    "newer envelope": _envelope(nightshift=2),
    "an id that climbs": _envelope(job_id="../../../secrets"),
    "an id with a newline": _envelope(job_id=JOB_ID + "\n"),
    "an id in upper case": _envelope(job_id=JOB_ID.upper()),
    "an id that is a number": _envelope(job_id=7),
    "payload is a list": _envelope(payload=[1]),
    "version is text": _envelope(payload_version="one"),
    "metadata names": b'{"id":"x","dequeueCount":3,"popReceipt":"y","insertionTime":"2026-01-01T00:00:00Z"}',
    "metadata names that cannot be": b'{"Id":{"a":1},"DequeueCount":"many","PopReceipt":7,"NextVisibleTime":"never"}',
    "Base64 of Base64 of garbage": base64.b64encode(b"garbage"),
    "Base64 of Base64 of JSON": base64.b64encode(b'{"hello": "world"}'),
    "a byte order mark": b"\xef\xbb\xbf" + _envelope(kind="unheard-of"),
    "not a number": _envelope(kind="unheard-of").replace(b'"n": 1', b'"n": NaN'),
}
"""Bodies, each put on the queue in Base64."""

RAW = ("not Base64!", "{}", "\u00fcml\u00e4ut", "YQ=", '{"id":"x"}')
"""Texts that are not Base64."""
