"""Signatures of Standard Webhooks: HMAC-SHA256 over id, time and body (https://www.standardwebhooks.com)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime

_PREFIX = "whsec_"


def headers(secrets: Iterable[str], message_id: str, sent_at: datetime, body: bytes) -> dict[str, str]:
    """The three headers of a message. Each secret (`whsec_` and Base64) signs; a receiver accepts any that it knows.

    Args:
        secrets: one, or while receivers move from one to the next, several.
        message_id: the same at every attempt, so that a receiver can tell a repetition.
        sent_at: when this attempt is made; receivers refuse what is minutes old.
        body: exactly what is sent.
    """
    seconds = int(sent_at.timestamp())
    signatures = (signature(secret, message_id, seconds, body) for secret in secrets)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(signatures),
    }


def signature(secret: str, message_id: str, seconds: int, body: bytes) -> str:
    """One signature: `v1,` and Base64."""
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    digest = hmac.digest(key, f"{message_id}.{seconds}.".encode() + body, hashlib.sha256)
    return f"v1,{base64.b64encode(digest).decode()}"
