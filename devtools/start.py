"""`dev.py start`: the app on this machine, with an emulated storage account unless one is configured."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import sys

from devtools.environment import ROOT, STATE, TroubleError, say, step
from devtools.services import app, azurite, free_ports, is_free

_DEFAULT_PORT = 7071
_STORAGE = ("AzureWebJobsStorage", "AzureWebJobsStorage__accountName", "AzureWebJobsStorage__blobServiceUri")


def main() -> int:
    """Run until Ctrl-C or until the host ends."""
    arguments = argparse.ArgumentParser(prog="dev.py start")
    arguments.add_argument("--port", type=int)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return _serve(_port(arguments.parse_args().port))
    except TroubleError as error:
        print(f"dev.py: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        say("\nstopped")
        return 0


def _serve(port: int) -> int:
    with contextlib.ExitStack() as stack:
        settings = {} if _has_storage() else {"AzureWebJobsStorage": _emulator(stack)}
        host = app(settings, port)
        say(f"  host: {host.name}" + (" (Azure Functions Core Tools not found)" if host.name == "devhost" else ""))
        stack.enter_context(host)
        say(f"  ready: {host.address}/api   Ctrl-C stops it")
        code = host.wait()
        say(f"  the host ended with exit code {code}")
        return code


def _emulator(stack: contextlib.ExitStack) -> str:
    with step("Azurite (data kept in .nightshift/azurite)"):
        return stack.enter_context(azurite(STATE / "azurite")).address


def _has_storage() -> bool:
    """Whether the environment or local.settings.json names a storage account other than the emulator's default."""
    settings = {**_local_settings(), **os.environ}
    return any(settings.get(name, "UseDevelopmentStorage=true") != "UseDevelopmentStorage=true" for name in _STORAGE)


def _local_settings() -> dict[str, str]:
    path = ROOT / "local.settings.json"
    try:
        return dict(json.loads(path.read_text(encoding="utf-8-sig")).get("Values", {})) if path.exists() else {}
    except ValueError as error:
        raise TroubleError(f"local.settings.json: not JSON ({error})") from None


def _port(wanted: int | None) -> int:
    if wanted is not None and not is_free(wanted):
        raise TroubleError(f"port {wanted} is taken; choose another with --port")
    return wanted or (_DEFAULT_PORT if is_free(_DEFAULT_PORT) else free_ports(1)[0])


if __name__ == "__main__":
    sys.exit(main())
