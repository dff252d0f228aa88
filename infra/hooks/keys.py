# ruff: noqa: INP001  a script, not a module
"""What `azd` runs around a deployment, with three verbs.

``make`` the secrets, once; ``refresh``: have the app read those that were changed; ``install`` the operator's key in the host.

Standard library only, on whatever Python there is. Secrets go from the azd environment to Key Vault (infra/app/vault.bicep)
and, for the operator's key, to the function app's host: with one key an operator passes the host and is known to the app.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Mapping

KEY_NAME = "operator"
_MANAGEMENT = "https://management.azure.com"
_API_VERSION = "2025-03-01"
_REFRESH_VERSION = "2022-03-01"
"""The refresh of references is documented for this version."""
_TRIES = 10
_PAUSE_SECONDS = 15
"""The host takes some minutes to come up after a first deployment; until then it answers 4xx or 5xx through the gateway."""
_FORBIDDEN = ("HTTP 401", "HTTP 403")

MADE: Mapping[str, Callable[[], str]] = {
    "NIGHTSHIFT_OPERATOR_KEY": lambda: secrets.token_urlsafe(42),
    "WEBHOOK_SECRET": lambda: f"whsec_{b64encode(secrets.token_bytes(32)).decode()}",
}
"""The secrets that are made where they are missing. azd hands its environment to hooks as environment variables."""


class HookError(Exception):
    """Something that whoever deploys can mend."""


def make(environ: Mapping[str, str], azd: Callable[..., str]) -> None:
    """Make what is missing and keep it in the azd environment.

    Raises:
        HookError: in continuous integration, where the azd environment does not outlive the run: each run would make other keys.
    """
    missing = [name for name in MADE if not environ.get(name)]
    if missing and environ.get("CI"):
        raise HookError(f"set {' and '.join(missing)} as secrets of the workflow (docs/how-to/deploy.md)")
    for name in missing:
        azd("env", "set", name, MADE[name]())
        print(f"made {name}; it is in the azd environment (azd env get-value {name})")


def refresh(environ: Mapping[str, str], azd: Callable[..., str], management: str = _MANAGEMENT) -> None:
    """Have the platform read the vault again; by itself it does so once a day.

    Raises:
        HookError: it does not.
    """
    path = f"{environ['SERVICE_API_RESOURCE_ID']}/config/configreferences/appsettings/refresh"
    if answer := _send(_request("POST", f"{management}{path}?api-version={_REFRESH_VERSION}", {}, azd)):
        raise HookError(
            f"the app reads a changed secret within a day only: {answer}. Later: azd hooks run postprovision"
        )
    print("the app reads its secrets anew")


def install(
    environ: Mapping[str, str],
    azd: Callable[..., str],
    management: str = _MANAGEMENT,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Give the host the operator's key.

    Raises:
        HookError: the host did not take it within some minutes.
    """
    site, key = environ["SERVICE_API_RESOURCE_ID"], environ["NIGHTSHIFT_OPERATOR_KEY"]
    url = f"{management}{site}/host/default/functionKeys/{KEY_NAME}?api-version={_API_VERSION}"
    request = _request("PUT", url, {"properties": {"name": KEY_NAME, "value": key}}, azd)
    answer = ""
    for attempt in range(_TRIES):
        if attempt:
            pause(_PAUSE_SECONDS)
        answer = _send(request)
        if not answer:
            print(f"the host has the key {KEY_NAME!r}")
            return
        if answer in _FORBIDDEN:
            break
    raise HookError(f"the host does not take the key {KEY_NAME!r}: {answer}. Later: azd hooks run postdeploy")


def _request(method: str, url: str, body: object, azd: Callable[..., str]) -> urllib.request.Request:
    token = json.loads(azd("auth", "token", "--scope", f"{_MANAGEMENT}/.default", "--output", "json"))["token"]
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    return urllib.request.Request(url, json.dumps(body).encode(), headers, method=method)


def _send(request: urllib.request.Request) -> str:
    """What went wrong, in words; empty where nothing did. An answer's body may quote the request, so it is not shown."""
    try:
        with urllib.request.urlopen(request, timeout=60):
            return ""
    except urllib.error.HTTPError as error:
        return f"HTTP {error.code}"
    except OSError as error:
        return type(error).__name__


def _azd(*arguments: str) -> str:
    done = subprocess.run(["azd", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise HookError(f"azd {arguments[0]} {arguments[1]} failed: {done.stderr.strip()[-300:]}")
    return done.stdout


def main(arguments: list[str]) -> int:
    """Run one of the three; return the exit code."""
    verbs: dict[str, Callable[[Mapping[str, str], Callable[..., str]], None]] = {
        "make": make,
        "refresh": refresh,
        "install": install,
    }
    if len(arguments) != 1 or arguments[0] not in verbs:
        print("usage: keys.py make|refresh|install", file=sys.stderr)
        return 2
    try:
        verbs[arguments[0]](os.environ, _azd)
    except HookError as error:
        print(f"keys.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
