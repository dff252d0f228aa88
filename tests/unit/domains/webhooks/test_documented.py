"""What the documentation tells receivers to do accepts what the app sends, and nothing else."""

from __future__ import annotations

import re
import textwrap
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared.domains.webhooks.signing import headers

PAGE = Path(__file__).parents[4] / "docs/how-to/receive-callbacks.md"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_" + "QUJD" * 8
Check = Callable[[str, dict[str, str], bytes], bool]


@pytest.fixture
def is_genuine() -> Check:
    (source,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    names: dict[str, Check] = {}
    exec(textwrap.dedent(source), names)
    return names["is_genuine"]


def test_the_documented_check(is_genuine: Check) -> None:
    now = datetime.now(UTC)
    for secrets in ([SECRET], [OTHER, SECRET]):
        assert is_genuine(SECRET, headers(secrets, "an-id", now, b"body"), b"body")
    assert not is_genuine(SECRET, headers([OTHER], "an-id", now, b"body"), b"body")
    assert not is_genuine(SECRET, headers([SECRET], "an-id", now, b"body"), b"another body")
    assert not is_genuine(SECRET, {**headers([SECRET], "an-id", now, b"body"), "webhook-id": "other"}, b"body")
    old = datetime.fromtimestamp(time.time() - 600, UTC)
    assert not is_genuine(SECRET, headers([SECRET], "an-id", old, b"body"), b"body")
