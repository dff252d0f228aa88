"""What the Azure SDKs raise, as errors of the ports."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import ClientError
from azure.core.exceptions import AzureError

from shared.ports import StorageError, TooLargeError

_TOO_LARGE = ("RequestBodyTooLarge", "MessageTooLarge", "RequestEntityTooLarge")


@contextmanager
def translated(action: str) -> Iterator[None]:
    """Raise as `StorageError` whatever the SDK, its transport or the network raise within; `action` begins the message."""
    try:
        yield
    except (AzureError, ClientError, OSError) as error:
        raise _storage_error(action, error) from error


def error_code(error: BaseException) -> str:
    """The service's own code for what went wrong (``BlobAlreadyExists``), empty where there is none."""
    code = getattr(error, "error_code", None)
    return str(getattr(code, "value", code) or "")


def _storage_error(action: str, error: Exception) -> StorageError:
    """Say what failed by status and code: the SDK's own message may hold names, which do not belong in logs."""
    status, code = getattr(error, "status_code", None), error_code(error)
    reason = " ".join(str(part) for part in (status, code) if part) or type(error).__name__
    too_large = status == 413 or code in _TOO_LARGE
    return (TooLargeError if too_large else StorageError)(f"{action}: {reason}")
