"""`dev.py start`: the app on this machine, with an emulated storage account unless one is configured."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from devtools.environment import ROOT, STATE, TroubleError, reader_gone, say, step, try_lock
from devtools.reload import Changes
from devtools.services import Service, app, azurite, free_ports, is_free

_DEFAULT_PORT = 7071
_LOOK_SECONDS = 0.5
_STORAGE = ("AzureWebJobsStorage", "AzureWebJobsStorage__accountName", "AzureWebJobsStorage__blobServiceUri")


def main() -> int:
    """Run until Ctrl-C or until the host ends."""
    arguments = argparse.ArgumentParser(prog="dev.py start")
    arguments.add_argument("--port", type=int)
    arguments.add_argument("--data", type=Path, default=STATE)
    arguments.add_argument("--reload", action="store_true")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        options = arguments.parse_args()
        return _serve(_port(options.port), options.data, reload=options.reload)
    except TroubleError as error:
        print(f"dev.py: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        return reader_gone()
    except KeyboardInterrupt:
        say("\nstopped")
        return 0


def _serve(port: int, data: Path, *, reload: bool) -> int:
    configured = {**_local_settings(), **os.environ}
    settings = {} if "NIGHTSHIFT_SQLITE_PATH" in configured else {"NIGHTSHIFT_SQLITE_PATH": str(data / "nightshift.db")}
    with contextlib.ExitStack() as stack:
        if not _has_storage(configured):
            settings["AzureWebJobsStorage"] = _emulator(stack, data)
        host = app(settings, port)
        say(f"  host: {host.name}" + (" (Azure Functions Core Tools not found)" if host.name == "devhost" else ""))
        changes = Changes(ROOT)
        stack.enter_context(host)
        say(f"  ready: {host.address}/api   dashboard: {host.address}/api/dashboard   Ctrl-C stops it")
        code = _reloading(host, changes) if reload else host.wait()
        say(f"  the host ended with exit code {code}")
        return code


def _reloading(host: Service, changes: Changes) -> int:
    """Start the host again whenever the code has changed; one that cannot start, or ended, waits for the next change."""
    said_end = False
    while True:
        if changed := changes.look():
            say(
                f"  changed: {', '.join(map(str, changed[:3]))}{' and more' if len(changed) > 3 else ''}; starting again"
            )
            host.stop()
            try:
                host.start()
                say(f"  ready: {host.address}/api")
            except TroubleError as error:
                say(f"  {error}\n  waiting for the next change")
            said_end = False
        elif host.ended and not said_end:
            say("  the host ended; waiting for the next change")
            said_end = True
        time.sleep(_LOOK_SECONDS)


def _emulator(stack: contextlib.ExitStack, data: Path) -> str:
    """Start Azurite; one at a time over the same files, which it would spoil otherwise."""
    data.mkdir(parents=True, exist_ok=True)
    if not try_lock(stack.enter_context((data / "azurite.lock").open("w"))):
        raise TroubleError(f"another Azurite works on {data}; choose another folder with --data")
    with step(f"Azurite, data kept in {data / 'azurite'}"):
        return stack.enter_context(azurite(data / "azurite")).address


def _has_storage(configured: Mapping[str, str]) -> bool:
    """Whether a storage account other than the emulator's default is configured."""
    return any(configured.get(name, "UseDevelopmentStorage=true") != "UseDevelopmentStorage=true" for name in _STORAGE)


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
