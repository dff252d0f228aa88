"""What the host is told, and how it takes it."""

from __future__ import annotations

import json
import logging
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from devhost.config import (
    ConfigError,
    HostConfig,
    QueueOptions,
    host_id,
    load_config,
    load_settings,
    local_port,
    parse_config,
    timespan,
)


def test_an_empty_host_json_gives_the_defaults_of_the_host() -> None:
    expected = HostConfig(
        queues=QueueOptions(
            batch_size=16,
            new_batch_threshold=8 * (os.cpu_count() or 1),
            max_polling_interval=timedelta(minutes=1),
            visibility_timeout=timedelta(0),
            max_dequeue_count=5,
            message_encoding="base64",
            lease=timedelta(minutes=10),
        ),
        route_prefix="api",
        function_timeout=timedelta(minutes=30),
        log_level=logging.INFO,
    )
    assert expected == parse_config({}, {})


def test_host_json_is_read_whole(tmp_path: Path) -> None:
    queues = {
        "batchSize": 4,
        "newBatchThreshold": 1,
        "maxPollingInterval": "00:00:02",
        "visibilityTimeout": "00:00:10",
        "maxDequeueCount": 3,
        "messageEncoding": "none",
    }
    content = {
        "functionTimeout": "00:10:00",
        "logging": {"logLevel": {"default": "Warning"}},
        "extensions": {"queues": queues, "http": {"routePrefix": "/v1/"}},
    }
    (tmp_path / "host.json").write_text(json.dumps(content))
    expected = HostConfig(
        queues=QueueOptions(4, 1, timedelta(seconds=2), timedelta(seconds=10), 3, "none", timedelta(seconds=7)),
        route_prefix="v1",
        function_timeout=timedelta(minutes=10),
        log_level=logging.WARNING,
    )
    assert expected == load_config(tmp_path, {"DEVHOST_MESSAGE_LEASE_SECONDS": "7"})


def test_the_threshold_follows_the_batch_size_and_the_cores() -> None:
    config = parse_config({"extensions": {"queues": {"batchSize": 10}}}, {})
    assert config.queues.new_batch_threshold == 5 * (os.cpu_count() or 1)
    on_consumption = parse_config({"extensions": {"queues": {"batchSize": 10}}}, {"WEBSITE_SKU": "Dynamic"})
    assert on_consumption.queues.new_batch_threshold == 5


def test_a_development_environment_polls_more_often() -> None:
    settings = {"AZURE_FUNCTIONS_ENVIRONMENT": "Development"}
    assert parse_config({}, settings).queues.max_polling_interval == timedelta(seconds=2)


@pytest.mark.parametrize("seconds", ["14", "61", "soon"])
def test_the_lease_of_a_lock_is_within_what_storage_allows(seconds: str) -> None:
    assert parse_config({}, {"DEVHOST_TIMER_LOCK_SECONDS": "15"}).lock_seconds == 15
    with pytest.raises(ConfigError, match="DEVHOST_TIMER_LOCK_SECONDS"):
        parse_config({}, {"DEVHOST_TIMER_LOCK_SECONDS": seconds})


def test_app_settings_override_host_json() -> None:
    settings = {"AzureFunctionsJobHost__extensions__queues__maxDequeueCount": "2"}
    assert parse_config({"extensions": {"queues": {"maxDequeueCount": 9}}}, settings).queues.max_dequeue_count == 2


def test_no_function_timeout() -> None:
    assert parse_config({"functionTimeout": "-1"}, {}).function_timeout is None


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ({"extensions": {"queues": {"batchSize": 33}}}, "batchSize"),
        ({"extensions": {"queues": {"batchSize": "many"}}}, "batchSize"),
        ({"extensions": {"queues": {"maxDequeueCount": 0}}}, "maxDequeueCount"),
        ({"extensions": {"queues": {"maxPollingInterval": 2000}}}, "maxPollingInterval"),
        ({"extensions": {"queues": {"messageEncoding": "hex"}}}, "messageEncoding"),
        ({"functionTimeout": "ten minutes"}, "functionTimeout"),
        ({"logging": {"logLevel": {"default": "loud"}}}, "logLevel"),
    ],
)
def test_a_wrong_value_is_named(content: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        parse_config(content, {})


@pytest.mark.parametrize("lease", ["0", "-1", "soon", "", "601"])
def test_a_wrong_lease_is_named(lease: str) -> None:
    with pytest.raises(ConfigError, match="DEVHOST_MESSAGE_LEASE_SECONDS"):
        parse_config({}, {"DEVHOST_MESSAGE_LEASE_SECONDS": lease})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("00:00:02", timedelta(seconds=2)),
        ("1.02:03:04", timedelta(days=1, hours=2, minutes=3, seconds=4)),
        ("00:00:00.250", timedelta(milliseconds=250)),
    ],
)
def test_time_spans(text: str, expected: timedelta) -> None:
    assert expected == timespan(text)


def test_the_environment_wins_over_local_settings(tmp_path: Path) -> None:
    (tmp_path / "local.settings.json").write_text(json.dumps({"Values": {"A": "file", "B": "file"}}))
    assert load_settings(tmp_path, {"B": "environment"}) == {"A": "file", "B": "environment"}


@pytest.mark.parametrize("content", ["{", "[]", '{"Values": {"A": 1}}', '{"Values": []}'])
def test_local_settings_that_cannot_be_read(tmp_path: Path, content: str) -> None:
    (tmp_path / "local.settings.json").write_text(content)
    with pytest.raises(ConfigError, match=r"local\.settings\.json"):
        load_settings(tmp_path, {})


def test_the_port_of_local_settings(tmp_path: Path) -> None:
    assert local_port(tmp_path) == 7071
    (tmp_path / "local.settings.json").write_text('{"Host": {"LocalHttpPort": 7099}}')
    assert local_port(tmp_path) == 7099


def test_the_host_id_is_the_apps_own(tmp_path: Path) -> None:
    assert host_id(tmp_path, {}) == host_id(tmp_path / "x" / "..", {})
    assert host_id(tmp_path, {}) != host_id(tmp_path / "x", {})
    assert host_id(tmp_path, {"AzureFunctionsWebHost__hostid": "given"}) == "given"
