"""Microsoft's Bicep compiler: what it says of infra/, and what a deployment of it would make.

The compiler is `$BICEP`, or `bicep` on the path, or the one beside the repository's `../shared`. It takes some seconds, so what
came of it is kept in `.nightshift/bicep` under a hash of all that went in.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from devtools.environment import try_lock
from support.azure_types import literals

ROOT = Path(__file__).parents[2]
INFRA = ROOT / "infra"
KEPT = ROOT / ".nightshift" / "bicep"
SUBSCRIPTION, TENANT = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"

Resource = dict[str, Any]

STORAGE, SITE = "Microsoft.Storage/storageAccounts", "Microsoft.Web/sites"
COSMOS, VAULT = "Microsoft.DocumentDB/databaseAccounts", "Microsoft.KeyVault/vaults"
SERVICES, INSIGHTS = "Microsoft.CognitiveServices/accounts", "Microsoft.Insights/components"
CONTAINERS = f"{COSMOS}/sqlDatabases/containers"


@dataclass(frozen=True)
class Deployment:
    """What one deployment makes: names and properties evaluated, but for what is known in Azure only (`[reference(...)]`)."""

    resources: list[Resource]
    outputs: dict[str, Any]

    def of(self, kind: str) -> list[Resource]:
        """All resources of a type."""
        return [each for each in self.resources if each["type"] == kind]

    def one(self, kind: str, name: str = "") -> Resource:
        """The resource of a type; of several, the one whose name ends like this."""
        [found] = [each for each in self.of(kind) if each["name"].endswith(name)]
        return found

    def settings(self) -> dict[str, str]:
        """The app settings of the function app."""
        return dict(self.one("Microsoft.Web/sites/config", "/appsettings")["properties"])


def at(resource: Resource, path: str) -> Any:
    """A property of a resource, by its path below `properties`."""
    value = resource["properties"]
    for name in path.split("."):
        value = value[name]
    return value


@dataclass(frozen=True)
class Compiled:
    """What the compiler made of infra/."""

    template: dict[str, Any]
    """The template, as Azure Resource Manager gets it."""
    diagnostics: list[str]
    """What the compiler and its linter complain of."""
    evaluated: list[str]
    """What the compiler says of the fullest deployment's values, written out: by its types of exactly these API versions."""
    smallest: Deployment
    fullest: Deployment

    @property
    def deployments(self) -> dict[str, Deployment]:
        """Both, by name."""
        return {"smallest": self.smallest, "fullest": self.fullest}

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters of main.bicep."""
        return dict(self.template["parameters"])


def compiler() -> Path:
    """The compiler; where there is none, the test is skipped and says so."""
    beside = ROOT.parent / "shared" / "tools" / "bicep"
    found = os.environ.get("BICEP") or shutil.which("bicep") or (str(beside) if beside.is_file() else None)
    if not found:
        pytest.skip("no Bicep compiler: set BICEP, or put bicep on the path")
    return Path(found)


def run(*arguments: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run the compiler. It unpacks itself into HOME, and needs no libraries for languages."""
    home = KEPT / "home"
    home.mkdir(parents=True, exist_ok=True)
    environ = {**os.environ, "HOME": str(home), "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"}
    command = [str(compiler()), *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, env=environ, capture_output=True, text=True, check=False, timeout=120)


def diagnostics(output: str) -> list[str]:
    """The lines that complain, without the folder."""
    lines = re.findall(
        r"^(.+?)\((\d+),\d+\) : (?:Info|Warning|Error) (.+?)(?: \[https://\S+\])?$", output, re.MULTILINE
    )
    return [f"{Path(path).name}({line}): {text}" for path, line, text in lines]


def build(path: Path) -> tuple[dict[str, Any], list[str]]:
    """The template of a file, and what the compiler says of it."""
    done = run("build", path, "--stdout")
    return (json.loads(done.stdout) if done.returncode == 0 else {}), diagnostics(done.stderr)


@functools.cache
def compiled() -> Compiled:
    """What the compiler makes of infra/ as it is now; once for all processes of a run."""
    used = compiler()
    folder = KEPT / _hash(used)
    KEPT.mkdir(parents=True, exist_ok=True)
    with (KEPT / "lock").open("w") as lock:
        while not try_lock(lock):
            time.sleep(0.1)
        if not (folder / "diagnostics.json").exists():
            for old in KEPT.glob("[0-9a-f]" * 16):
                shutil.rmtree(old, ignore_errors=True)
            _compile(folder)
    said = json.loads((folder / "diagnostics.json").read_text("utf-8"))
    template = json.loads((folder / "main.json").read_text("utf-8"))
    smallest, fullest = (_deployment(folder / f"{name}.snapshot.json") for name in ENVIRONMENTS)
    return Compiled(template, said["template"], said["evaluated"], smallest, fullest)


def _hash(used: Path) -> str:
    files = [path for path in sorted(INFRA.rglob("*")) if path.suffix in (".bicep", ".json", ".kql")]
    seen = [path.relative_to(INFRA).as_posix().encode() + path.read_bytes() for path in files]
    return hashlib.sha256(
        b"\0".join([*seen, str(used.stat().st_mtime).encode(), Path(__file__).read_bytes()])
    ).hexdigest()[:16]


def _compile(folder: Path) -> None:
    template, said = build(INFRA / "main.bicep")
    assert template, "\n".join(said)
    folder.mkdir()
    (folder / "main.json").write_text(
        json.dumps(template), encoding="utf-8"
    )  # taken up from here, so compiled only once
    for name, environ in ENVIRONMENTS.items():
        write_parameters(folder / f"{name}.bicepparam", template["parameters"], environ)
    with ThreadPoolExecutor() as pool:
        list(pool.map(_snapshot, [folder / f"{name}.bicepparam" for name in ENVIRONMENTS]))
    evaluated = complaints(_deployment(folder / "fullest.snapshot.json").resources, folder)
    content = json.dumps({"template": said, "evaluated": evaluated})
    (folder / "diagnostics.json").write_text(content, encoding="utf-8")  # last: it says that all is there


def complaints(resources: list[Resource], folder: Path) -> list[str]:
    """What the compiler, not its linter, says of resources whose values are written out; the group they are in is left out."""
    within = [each for each in resources if each["type"] != "Microsoft.Resources/resourceGroups"]
    path = folder / "evaluated.bicep"
    path.write_text(literals(within, literal), encoding="utf-8")
    return [each for each in build(path)[1] if re.search(r": BCP\d", each)]


def _snapshot(parameters: Path) -> None:
    done = snapshot(parameters)
    assert done.returncode == 0, done.stderr


def snapshot(parameters: Path) -> subprocess.CompletedProcess[str]:
    """Have a deployment evaluated by a file of parameters."""
    where = [
        "--subscription-id",
        SUBSCRIPTION,
        "--tenant-id",
        TENANT,
        "--location",
        "westeurope",
        "--mode",
        "overwrite",
    ]
    return run("snapshot", parameters.name, *where, cwd=parameters.parent)


def _deployment(path: Path) -> Deployment:
    content = json.loads(path.read_text("utf-8"))
    return Deployment(content["predictedResources"], content.get("outputs", {}))


# --- parameters, as azd hands them over --------------------------------------------------------------------------------

REQUIRED = {
    "AZURE_ENV_NAME": "test",
    "AZURE_LOCATION": "westeurope",
    "NIGHTSHIFT_OPERATOR_KEY": "an-operators-key-of-the-tests-and-nobody-elses",
    "WEBHOOK_SECRET": "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
}
FULL = {
    **REQUIRED,
    "AZURE_PRINCIPAL_ID": "00000000-0000-4000-8000-000000000003",
    "DEPLOY_ALWAYS_READY_HTTP": "1",
    "DEPLOY_ZONE_REDUNDANT": "true",
    "DEPLOY_PORTAL_CORS": "true",
    "DEPLOY_COSMOS_AUTOSCALE_MAX_RU": "10000",
    "DEPLOY_KIND_QUEUES": "collect-content=collecting, scrape-source=scraping",
    "DEPLOY_STATIC_WEBSITE": "true",
    "DEPLOY_PRIVATE_NETWORKING": "true",
    "DEPLOY_OPENAI": "true",
    "DEPLOY_OPENAI_LOCATION": "swedencentral",
    "DEPLOY_SPEECH": "true",
    "DEPLOY_TRANSLATOR": "true",
    "DEPLOY_DOCUMENT_INTELLIGENCE": "true",
    "DEPLOY_ALERT_EMAIL": "operators@example.org",
    "DEPLOY_TRACE_SHARE": "0.1",
    "DEPLOY_PURGE_PROTECTION": "true",
    "DEPLOY_ENTRA_CLIENT_ID": "00000000-0000-4000-8000-000000000004",
    "REDDIT_CLIENT_ID": "reddit-client",
    "REDDIT_CLIENT_SECRET": "reddit-secret",
}
ENVIRONMENTS: Mapping[str, Mapping[str, str]] = {"smallest": REQUIRED, "fullest": FULL}


def substituted(value: Any, environ: Mapping[str, str]) -> Any:
    """A value of main.parameters.json as azd reads it: `${NAME=default}`, where what is empty counts as not set."""
    if not isinstance(value, str):
        return value
    return re.sub(r"\$\{(\w+)(?:=([^}]*))?\}", lambda found: environ.get(found[1]) or found[2] or "", value)


def given(declared: Mapping[str, Any], environ: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    """Each parameter's value, of the type that the template declares."""
    content = json.loads((INFRA / "main.parameters.json").read_text("utf-8"))["parameters"]
    for name, parameter in content.items():
        value = substituted(parameter["value"], environ)
        kind = declared[name]["type"].lower()
        yield name, json.loads(value) if kind in ("int", "bool") and isinstance(value, str) else value


def literal(value: Any, depth: int = 0) -> str:
    """A value as Bicep writes it."""
    match value:
        case None | bool() | int():
            return json.dumps(value)
        case float():
            return f"json('{value}')"
        case str():
            escaped = value.replace("\\", "\\\\").replace("'", "\\'").replace("${", "\\${")
            return "'{}'".format(escaped.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t"))
        case list():
            return _block("[]", (literal(each, depth + 1) for each in value), depth)
        case _:
            return _block("{}", (f"{_key(key)}: {literal(each, depth + 1)}" for key, each in value.items()), depth)


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z_]\w*", name) else literal(name)


def _block(brackets: str, entries: Iterator[str], depth: int) -> str:
    shown = [f"{'  ' * (depth + 1)}{entry}\n" for entry in entries]
    return f"{brackets[0]}\n{''.join(shown)}{'  ' * depth}{brackets[1]}" if shown else brackets


def write_parameters(path: Path, declared: Mapping[str, Any], environ: Mapping[str, str]) -> None:
    """Write the parameters that azd would hand over in this environment, for the template beside the file."""
    lines = ["using 'main.json'", *(f"param {name} = {literal(value)}" for name, value in given(declared, environ))]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
