"""The job that delivers a callback."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.domains.webhooks import signing
from shared.domains.webhooks.message import WebhookJob
from shared.domains.webhooks.settings import WebhookSettings
from shared.fetch import FetchRefusedError, FetchUnavailableError, parse_allowed, post
from shared.jobs import FinalError, JobContext, Policy, RetryLater, job

if TYPE_CHECKING:
    from shared.settings import Settings

_GONE = 410


class NotAcceptedError(Exception):
    """The receiver did not accept the callback."""


def _policy(settings: Settings) -> Policy:
    chosen = settings.of(WebhookSettings)
    return Policy(
        max_attempts=chosen.max_attempts,
        base_backoff_seconds=chosen.base_backoff_seconds,
        max_backoff_seconds=max(chosen.max_backoff_seconds, chosen.base_backoff_seconds),
        timeout_seconds=chosen.timeout_seconds + 30,
        final=(FetchRefusedError,),
    )


@job("webhook", policy=_policy)
async def deliver(payload: WebhookJob, job: JobContext) -> dict[str, int]:
    """Post the callback. 2xx is success, 410 is final, anything else is tried again. Receivers know repetitions by id."""
    settings = job.settings
    if not settings.webhook_secrets:
        raise FinalError("WEBHOOK_SECRET is not set: callbacks cannot be signed")
    body = payload.body()
    signed = signing.headers(settings.webhook_secrets, job.job_id, job.clock.now(), body)
    try:
        answer = await post(
            payload.url,
            body,
            headers={"Content-Type": "application/json", **signed},
            timeout_seconds=settings.of(WebhookSettings).timeout_seconds,
            allowed=parse_allowed(settings.fetch_allowed_hosts),
        )
    except FetchUnavailableError as error:
        raise NotAcceptedError(str(error)) from None
    if 200 <= answer.status < 300:
        return {"status": answer.status}
    if answer.status == _GONE:
        raise FinalError("the receiver answered 410: it wants no more callbacks")
    if answer.retry_after is not None:
        raise RetryLater(answer.retry_after, f"the receiver answered {answer.status}")
    raise NotAcceptedError(f"the receiver answered {answer.status}")
