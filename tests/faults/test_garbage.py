"""Garbage on every kind of queue ends in the vault byte for byte, runs nothing and is looked at once."""

from __future__ import annotations

import base64
from collections import Counter

import pytest

from shared.jobs.envelope import Delivery
from support.garbage import BODIES, RAW
from support.lab import Lab


@pytest.mark.parametrize("suffix", ["", "-own", "-poison", "-own-poison"])
async def test_every_body_is_kept_as_it_came(lab: Lab, suffix: str) -> None:
    queue = lab.settings.queue_normal + suffix
    texts = {name: base64.b64encode(body).decode() for name, body in BODIES.items()}
    for text in texts.values():
        await lab.queues.send(queue, text)
    await lab.pump()
    assert Counter(delivery.body.decode() for delivery, _ in lab.host.deliveries) == Counter(texts.values())
    await lab.recover()
    letters = await lab.letters()
    assert {letter.message_text for letter in letters} == set(texts.values())
    assert len(letters) == len(texts)
    assert {letter.queue for letter in letters} == {queue.removesuffix("-poison")}
    await nothing_happened(lab)


@pytest.mark.parametrize("suffix", ["", "-own", "-poison", "-own-poison"])
async def test_every_text_that_is_not_base64_is_kept_as_it_came(lab: Lab, suffix: str) -> None:
    queue = lab.settings.queue_normal + suffix
    for text in RAW:
        await lab.queues.send(queue, text)
    await lab.pump()
    await lab.recover()
    letters = await lab.letters()
    assert Counter(base64.b64decode(letter.body_base64 or "").decode() for letter in letters) == Counter(RAW)
    assert len(lab.host.deliveries) == len(RAW)
    await nothing_happened(lab)


async def test_a_host_that_decodes_what_it_delivers_changes_nothing(lab: Lab) -> None:
    for name, body in BODIES.items():
        await lab.engine.process(Delivery(lab.settings.queue_normal, name, body))
    letters = await lab.letters()
    assert Counter(base64.b64decode(letter.body_base64 or "") for letter in letters) == Counter(BODIES.values())
    await nothing_happened(lab)


async def test_nothing_of_a_body_is_told_to_the_log(lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    body = base64.b64encode(b'{"kind": 7, "payload": {"who": "ann@example.org"}}').decode()
    await lab.queues.send(lab.settings.queue_normal, body)
    await lab.pump()
    (letter,) = await lab.letters()
    assert "ann" not in caplog.text
    assert "ann" not in letter.error.message


async def nothing_happened(lab: Lab) -> None:
    assert lab.runs == []
    assert [info async for info in lab.blobs.list("jobs/")] == []
    for queue in (lab.settings.queue_normal, f"{lab.settings.queue_normal}-own"):
        assert await lab.queues.depth(queue) + await lab.queues.depth(f"{queue}-poison") == 0
