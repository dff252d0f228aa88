"""Signatures of callbacks, against the specification's published example and the words of its rules."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domains.webhooks.signing import headers, signature
from shared.settings import SettingsError, load

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_the_published_example() -> None:
    said = signature(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert said == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(st.binary(min_size=24, max_size=64), st.binary())
def test_id_time_and_body_are_signed(key: bytes, body: bytes) -> None:
    secret = f"whsec_{base64.b64encode(key).decode()}"
    expected = base64.b64encode(hmac.new(key, b"an-id.1700000000." + body, hashlib.sha256).digest()).decode()
    at = datetime.fromtimestamp(1700000000.9, UTC)
    assert headers([secret], "an-id", at, body) == {
        "webhook-id": "an-id",
        "webhook-timestamp": "1700000000",
        "webhook-signature": f"v1,{expected}",
    }


def test_every_secret_signs() -> None:
    other = f"whsec_{base64.b64encode(b'x' * 32).decode()}"
    at = datetime.fromtimestamp(5, UTC)
    both = headers([SECRET, other], "an-id", at, b"body")["webhook-signature"]
    assert both == f"{signature(SECRET, 'an-id', 5, b'body')} {signature(other, 'an-id', 5, b'body')}"


@pytest.mark.parametrize(
    "text", ["secret", "whsec_", "whsec_c2hvcnQ=", "whsec_!!!", f"whsec_{base64.b64encode(b'x' * 65).decode()}"]
)
def test_what_is_no_secret_stops_the_start_and_is_not_shown(text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load({"WEBHOOK_SECRET": text})
    assert "WEBHOOK_SECRET: expected" in str(caught.value)
    assert "found" not in str(caught.value)


def test_secrets_are_separated_by_spaces_and_not_printed() -> None:
    settings = load({"WEBHOOK_SECRET": f"{SECRET}  {SECRET}"})
    assert settings.webhook_secrets == (SECRET, SECRET)
    assert SECRET not in repr(settings)
    assert load({}).webhook_secrets == ()
