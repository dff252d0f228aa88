"""Envelopes: what is written can be read, what is read is what it says, and everything else is unreadable."""

from __future__ import annotations

import base64
import codecs
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.jobs.envelope import LARGEST, Envelope, decode, encode, envelope_of, fits, put_back_text
from shared.jobs.errors import UnreadableError
from shared.jobs.model import Entry, Job, Status
from support.garbage import BODIES

NOW = datetime(2026, 1, 5, 12, 0, 0, 123456, tzinfo=UTC)
QUEUE_LIMIT = 64 * 1024
RESERVED = {"id", "popreceipt", "dequeuecount", "insertiontime", "expirationtime", "nextvisibletime"}
"""Top-level names with which the host would overwrite the trigger's metadata, whatever their case."""

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=50)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)
payloads = st.dictionaries(texts, values, max_size=6)


def job_of(payload: dict[str, Any] | None = None, **changes: Any) -> Job:
    job = Job(
        job_id="01a20266-6806-72a8-822d-9c048db10d4c", kind="work", status=Status.QUEUED, version=1, payload=payload,
        created_at=NOW, updated_at=NOW, due_at=NOW, watch_at=NOW, history=(Entry(at=NOW, event="submitted", attempt=0),),
    )  # fmt: skip
    return job.model_copy(update=changes)


def body_of(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


@given(payloads, st.none() | st.just('"0x1"'), st.none() | st.uuids().map(str))
def test_what_is_written_is_read_back(payload: dict[str, Any], etag: str | None, dead_letter: str | None) -> None:
    envelope = envelope_of(job_of(payload), etag, NOW, dead_letter)
    assert decode(body_of(encode(envelope))) == envelope
    assert (envelope.snapshot == job_of(payload)) is (etag is not None)


@given(payloads)
def test_a_text_that_was_encoded_once_more_is_read_too(payload: dict[str, Any]) -> None:
    text = encode(envelope_of(job_of(payload), None, NOW))
    assert decode(text.encode()) == decode(body_of(text))
    assert decode(b" " + text.encode() + b"\r\n") == decode(body_of(text))


@given(payloads)
def test_no_name_of_the_host_stands_at_the_top(payload: dict[str, Any]) -> None:
    names = json.loads(body_of(encode(envelope_of(job_of(payload), '"e"', NOW))))
    assert RESERVED.isdisjoint(name.lower() for name in names)


def test_no_field_has_a_name_of_the_host() -> None:
    fields = {name: field.alias or name for name, field in Envelope.model_fields.items()}
    assert RESERVED.isdisjoint(name.lower().replace("_", "") for pair in fields.items() for name in pair)


@given(st.integers(0, LARGEST), st.integers(0, 60), st.sampled_from("x\u00fc\u4e16\U0001f319\\\n"))
def test_what_fits_travels_and_no_text_is_larger_than_a_queue_takes(size: int, entries: int, letter: str) -> None:
    history = tuple(Entry(at=NOW, event="claimed after a lapse", attempt=n, detail="d" * 300) for n in range(entries))
    job = job_of({"note": letter * size}, history=history)
    if fits(job, NOW):
        text = encode(envelope_of(job, '"0x8DE29D7A3C0F1B5"', NOW, dead_letter="0" * 36))
        assert len(text) <= QUEUE_LIMIT
        assert decode(body_of(text)).payload == job.payload


def test_a_record_that_does_not_fit_is_left_out() -> None:
    job = job_of({"note": "x" * (LARGEST - 600)})
    assert fits(job, NOW)
    envelope = decode(body_of(encode(envelope_of(job, '"e"', NOW))))
    assert (envelope.record, envelope.etag, envelope.snapshot) == (None, None, None)
    assert envelope.payload == job.payload


def test_a_payload_just_too_large_does_not_fit() -> None:
    overhead = len(body_of(encode(envelope_of(job_of({"note": ""}), None, NOW, dead_letter="0" * 36))))
    assert fits(job_of({"note": "x" * (LARGEST - overhead)}), NOW)
    assert not fits(job_of({"note": "x" * (LARGEST - overhead + 1)}), NOW)


def test_a_record_of_another_job_is_no_snapshot() -> None:
    other = job_of({}).model_copy(update={"job_id": "01a20266-6806-72a8-822d-9c048db10d4d"})
    envelope = envelope_of(job_of({}), '"e"', NOW).model_copy(update={"record": other})
    assert envelope.snapshot is None


@given(st.binary(max_size=300) | st.text().map(lambda text: text.encode("utf-8", "replace")))
def test_garbage_is_unreadable_and_nothing_else(body: bytes) -> None:
    with pytest.raises(UnreadableError):
        decode(body)


@given(values.map(lambda value: json.dumps(value).encode()))
def test_other_json_is_unreadable(body: bytes) -> None:
    with pytest.raises(UnreadableError):
        decode(body)


@given(st.data())
def test_an_envelope_bent_out_of_shape_is_read_or_unreadable(data: st.DataObject) -> None:
    content = json.loads(body_of(encode(envelope_of(job_of({"n": 1}), '"e"', NOW))))
    content[data.draw(st.sampled_from(sorted(content)))] = data.draw(values)
    try:
        envelope = decode(json.dumps(content).encode())
    except UnreadableError:
        return
    assert isinstance(envelope, Envelope)


@pytest.mark.parametrize(
    "wrap",
    [
        base64.encodebytes,  # in lines of 76, as GNU's tool has it
        lambda body: base64.b64encode(body).replace(b"=", b"=\r\n"),
        lambda body: codecs.BOM_UTF8 + body,  # as PowerShell writes it
        lambda body: base64.b64encode(codecs.BOM_UTF8 + body),
        lambda body: body.decode().encode("utf-16"),
        lambda body: base64.b64encode(body.decode().encode("utf-16-le")),
        lambda body: base64.b64encode(body).decode().encode("utf-16-be"),
        lambda body: json.dumps(body.decode()).encode(),
        lambda body: json.dumps(base64.b64encode(body).decode()).encode(),
        lambda body: b" \r\n" + body + b"\n",
    ],
)
def test_what_people_paste_is_read(wrap: Callable[[bytes], bytes]) -> None:
    body = body_of(encode(envelope_of(job_of({"note": "caf\u00e9"}), None, NOW)))
    assert decode(wrap(body)) == decode(body)
    assert decode(put_back_text(wrap(body), NOW).encode()).payload == {"note": "caf\u00e9"}


@pytest.mark.parametrize("name", sorted(set(BODIES) - {"unknown kind", "newer payload", "a byte order mark"}))
def test_a_gallery_of_garbage(name: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        decode(BODIES[name])
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_number_that_is_no_json_is_unreadable(number: str) -> None:
    body = body_of(encode(envelope_of(job_of({"n": 7}), None, NOW))).replace(b'"n":7', f'"n":{number}'.encode())
    with pytest.raises(UnreadableError):
        decode(body)


def test_why_it_is_unreadable_tells_nothing_of_what_it_holds() -> None:
    with pytest.raises(UnreadableError) as caught:
        decode(b'{"kind": {"who": "ann@example.org"}, "job_id": "ann", "payload_version": "ann", "sent_at": "ann"}')
    assert "ann" not in str(caught.value)
