"""From settings to adapters."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from azure.identity.aio import DefaultAzureCredential, ManagedIdentityCredential

from shared.adapters import opening, transport
from shared.adapters.clock import SystemClock
from shared.adapters.cosmos import CosmosDocuments
from shared.adapters.sqlite import SqliteDocuments
from shared.settings import SettingsError, load
from support.azurite import AzuriteProcess

REPOSITORY = Path(__file__).parents[2]
PREFIX = "AzureWebJobsStorage"


def url_and_credential(adapter: Any) -> tuple[str, Any]:
    client = getattr(adapter, "_container", None) or adapter._service
    return client.url, adapter._owned


async def test_no_storage_is_a_clear_error() -> None:
    with pytest.raises(SettingsError, match="AzureWebJobsStorage__accountName or AzureWebJobsStorage__blobServiceUri"):
        opening.open_blobs(load({}), "c")
    with pytest.raises(SettingsError, match="AzureWebJobsStorage__accountName or AzureWebJobsStorage__queueServiceUri"):
        opening.open_queues(load({f"{PREFIX}__blobServiceUri": "https://x.blob.core.windows.net"}))


@pytest.mark.parametrize("value", ["no connection string", "AccountKey=c2VjcmV0"])
async def test_a_bad_connection_string_is_an_error_that_does_not_show_it(value: str) -> None:
    for act in (lambda s: opening.open_blobs(s, "c"), opening.open_queues):
        with pytest.raises(SettingsError) as raised:
            act(load({PREFIX: value}))
        assert value not in str(raised.value)
        assert raised.value.__suppress_context__


async def test_an_account_by_name_is_reached_by_identity() -> None:
    settings = load({f"{PREFIX}__accountName": "acc"})
    blobs, queues = opening.open_blobs(settings, "jobs"), opening.open_queues(settings)
    blob_url, (blob_identity,) = url_and_credential(blobs)
    queue_url, (queue_identity,) = url_and_credential(queues)
    assert blob_url == "https://acc.blob.core.windows.net/jobs"
    assert queue_url.rstrip("/") == "https://acc.queue.core.windows.net"
    assert isinstance(blob_identity, DefaultAzureCredential)
    assert isinstance(queue_identity, DefaultAzureCredential)
    await blobs.close()
    await queues.close()


async def test_a_managed_identity_and_addresses_can_be_named() -> None:
    settings = load(
        {
            f"{PREFIX}__blobServiceUri": "https://blobs.example",
            f"{PREFIX}__queueServiceUri": "https://queues.example",
            f"{PREFIX}__credential": "managedidentity",
            f"{PREFIX}__clientId": "00000000-0000-0000-0000-000000000001",
        }
    )
    blobs, queues = opening.open_blobs(settings, "jobs"), opening.open_queues(settings)
    blob_url, (identity,) = url_and_credential(blobs)
    queue_url, _ = url_and_credential(queues)
    assert (blob_url, queue_url.rstrip("/")) == ("https://blobs.example/jobs", "https://queues.example")
    assert isinstance(identity, ManagedIdentityCredential)
    await blobs.close()
    await queues.close()


async def test_containers_are_of_the_own_account_or_of_others(azurite: AzuriteProcess, unique: str) -> None:
    containers = opening.OpenedContainers(load({PREFIX: azurite.connection_string}))
    own, named = containers(unique), containers(unique, "devstoreaccount1")
    await own.create("x", b"1")
    assert [row.size async for row in named.list("")] == [1]
    assert containers(unique) is own
    by_key, by_identity = containers("docs", "other", "a2V5"), containers("docs", "other")
    assert url_and_credential(by_key) == ("https://other.blob.core.windows.net/docs", ())
    assert isinstance(url_and_credential(by_identity)[1][0], DefaultAzureCredential)
    for name, account in (("Docs", None), ("../x", None), ("docs", "evil.example/")):
        with pytest.raises(ValueError, match="not the name of"):
            containers(name, account)
    await containers.close()


async def test_documents_are_in_a_file_unless_cosmos_db_is_named(tmp_path: Path) -> None:
    embedded = opening.open_documents(load({"NIGHTSHIFT_SQLITE_PATH": str(tmp_path / "x.db")}))
    with_key = opening.open_documents(load({"COSMOS_ENDPOINT": "https://x.example", "COSMOS_KEY": "a2V5"}))
    by_identity = opening.open_documents(load({"COSMOS_ENDPOINT": "https://x.example"}))
    assert isinstance(embedded, SqliteDocuments)
    assert isinstance(with_key, CosmosDocuments)
    assert isinstance(by_identity, CosmosDocuments)
    assert (with_key._may_create, by_identity._may_create) == (True, False)
    for opened in (embedded, with_key, by_identity):
        await opened.close()


async def test_the_sdks_do_not_log_addresses(azurite: AzuriteProcess, unique: str, caplog: Any) -> None:
    caplog.set_level(logging.DEBUG, logger="")
    blobs = opening.open_blobs(load({PREFIX: azurite.connection_string}), unique)
    await blobs.create("users/somebody", b"")
    await blobs.close()
    assert "somebody" not in caplog.text


def test_opening_imports_an_sdk_only_when_it_is_needed() -> None:
    script = (
        "import sys; from shared.adapters import opening; from shared.settings import load; "
        "opening.open_documents(load({})); "
        "print([name for name in ('azure.core', 'azure.cosmos', 'azure.storage.blob', 'azure.identity', 'aiohttp') "
        "if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(("environment", "expected"), [({}, False), ({"HTTPS_PROXY": "http://proxy:1"}, True)])
async def test_a_proxy_is_used_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], expected: bool
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert transport.transport()._use_env_settings is expected


async def test_the_system_clock_is_aware_and_goes_on() -> None:
    clock = SystemClock()
    before = clock.now()
    await clock.sleep(0.01)
    assert before.utcoffset() is not None
    assert 0.009 <= (clock.now() - before).total_seconds() < 1
