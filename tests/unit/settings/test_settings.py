"""Settings: each validated with a clear error, and no secret told."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import declarations
from shared.declarations import sections, settings_of
from shared.domains.taste.settings import TasteSettings
from shared.settings import Settings, SettingsError, load, specs_of

NAMES = declarations.specs()


def error_of(**environ: str) -> str:
    with pytest.raises(SettingsError) as caught:
        settings_of(environ)
    return str(caught.value)


def taste(environ: dict[str, str]) -> TasteSettings:
    return settings_of(environ).of(TasteSettings)


def values(settings: Settings) -> list[dict[str, Any]]:
    return [{**vars(each), "sections": ()} for each in (settings, *settings.sections)]


def test_an_empty_environment_is_enough() -> None:
    expected = values(Settings(sections=tuple(section() for section in sections()[1:])))
    assert values(settings_of({})) == expected
    assert values(settings_of(dict.fromkeys(NAMES, "  "))) == expected


def test_every_default_would_be_accepted() -> None:
    for section in sections():
        for name, spec in specs_of(section).items():
            default = getattr(section(), name)
            if default not in (None, "", ()):
                assert spec.read(str(default)) == default


def test_names_and_meanings_are_given_once() -> None:
    assert len(NAMES) == sum(len(specs_of(section)) for section in sections())
    assert all(spec.meaning.endswith((".", "`.", ")")) for spec in NAMES.values())


@pytest.mark.parametrize(
    ("name", "field", "text", "value"),
    [
        ("TASTE_JOB_QUEUE_NAME", "job_queue", "tastes-2", "tastes-2"),
        ("TASTE_JOB_DEAD_LETTER_QUEUE_NAME", "poison_queue", "graves", "graves"),
        ("TASTE_JOB_MAX_RETRIES", "max_retries", "0", 0),
        ("TASTE_JOB_BASE_BACKOFF_SECONDS", "base_backoff_seconds", "0.5", 0.5),
        ("TASTE_JOB_MAX_BACKOFF_SECONDS", "max_backoff_seconds", "604800", 604800.0),
        ("TASTE_JOB_JITTER_SECONDS", "jitter_seconds", "0", 0.0),
        ("TASTE_JOB_DEDUPE_TTL_SECONDS", "dedupe_ttl_seconds", "60", 60),
        ("TASTE_PRIOR_SCHEDULE", "prior_schedule", "0 0 4 * * *", "0 0 4 * * *"),
    ],
)
def test_each_taste_setting_is_read(name: str, field: str, text: str, value: Any) -> None:
    assert getattr(settings_of({name: f" {text} "}).of(TasteSettings), field) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("TASTE_JOB_QUEUE_NAME", "Taste"),
        ("TASTE_JOB_QUEUE_NAME", "ab"),
        ("TASTE_JOB_QUEUE_NAME", "a--b"),
        ("TASTE_JOB_QUEUE_NAME", "-ab"),
        ("TASTE_JOB_QUEUE_NAME", "a" * 64),
        ("TASTE_JOB_QUEUE_NAME", "a_b"),
        ("TASTE_JOB_QUEUE_NAME", "ab\u0669"),
        ("TASTE_JOB_DEAD_LETTER_QUEUE_NAME", "graves!"),
        ("TASTE_JOB_MAX_RETRIES", "-1"),
        ("TASTE_JOB_MAX_RETRIES", "51"),
        ("TASTE_JOB_MAX_RETRIES", "4.5"),
        ("TASTE_JOB_MAX_RETRIES", "many"),
        ("TASTE_JOB_BASE_BACKOFF_SECONDS", "-0.1"),
        ("TASTE_JOB_BASE_BACKOFF_SECONDS", "nan"),
        ("TASTE_JOB_BASE_BACKOFF_SECONDS", "inf"),
        ("TASTE_JOB_MAX_BACKOFF_SECONDS", "604801"),
        ("TASTE_JOB_JITTER_SECONDS", "2s"),
        ("TASTE_JOB_DEDUPE_TTL_SECONDS", "2592001"),
        ("TASTE_JOB_DEDUPE_TTL_SECONDS", "1e3"),
        ("TASTE_PRIOR_SCHEDULE", "hourly"),
        ("JOBS_LEASE_SECONDS", "0"),
        ("COSMOS_ENDPOINT", "cosmos.example"),
    ],
)
def test_what_does_not_fit_is_named_with_what_was_expected_and_found(name: str, text: str) -> None:
    message = error_of(**{name: text})
    assert message == f"app settings: {name}: expected {NAMES[name].kind}, found {text!r}"


def test_everything_that_is_wrong_is_told_at_once() -> None:
    message = error_of(TASTE_JOB_MAX_RETRIES="x", JOBS_LEASE_SECONDS="y", TASTE_JOB_JITTER_SECONDS="1")
    assert "TASTE_JOB_MAX_RETRIES" in message
    assert "JOBS_LEASE_SECONDS" in message
    assert "JITTER" not in message


def test_backoff_settings_must_agree() -> None:
    message = error_of(TASTE_JOB_BASE_BACKOFF_SECONDS="10", TASTE_JOB_MAX_BACKOFF_SECONDS="5")
    assert message == "app settings: TASTE_JOB_MAX_BACKOFF_SECONDS: expected at least TASTE_JOB_BASE_BACKOFF_SECONDS"


@pytest.mark.parametrize(
    ("environ", "queue"),
    [
        ({"TASTE_JOB_DEAD_LETTER_QUEUE_NAME": "jobs"}, "jobs"),
        ({"TASTE_JOB_QUEUE_NAME": "tastes", "TASTE_JOB_DEAD_LETTER_QUEUE_NAME": "tastes"}, "tastes"),
        ({"JOBS_LOW_QUEUE_NAME": "jobs-poison"}, "jobs-poison"),
    ],
)
def test_no_queue_is_for_jobs_and_for_dead_letters(environ: dict[str, str], queue: str) -> None:
    assert error_of(**environ) == f"app settings: the queue {queue!r} would hold jobs and dead letters"


def test_the_hosts_poison_queue_has_a_name_that_storage_takes() -> None:
    assert len(load({"JOBS_QUEUE_NAME": "a" * 56}).queue_normal + "-poison") == 63
    assert "JOBS_QUEUE_NAME" in error_of(JOBS_QUEUE_NAME="a" * 57)


def test_the_poison_queue_follows_the_hosts_own_naming() -> None:
    assert taste({}).poison_queue == "taste-analysis-jobs-poison"
    assert taste({"TASTE_JOB_QUEUE_NAME": "tastes"}).poison_queue == "tastes-poison"
    chosen = taste({"TASTE_JOB_QUEUE_NAME": "tastes", "TASTE_JOB_DEAD_LETTER_QUEUE_NAME": "graves"})
    assert chosen.poison_queue == "graves"


def test_secrets_are_marked() -> None:
    named = {name for name in NAMES if name.endswith(("_SECRET", "_KEY", "_PASSWORD"))} | {"AzureWebJobsStorage"}
    assert {spec.name for spec in NAMES.values() if spec.secret} >= named >= {"COSMOS_KEY", "AZURE_OPENAI_API_KEY"}


def test_a_secret_is_shown_neither_in_errors_nor_in_a_print(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("AzureWebJobsStorage", "COSMOS_KEY", "AZURE_OPENAI_API_KEY")
    assert "hush" not in error_of(**dict.fromkeys(names, "hush"), JOBS_LEASE_SECONDS="x")
    assert "hush" not in repr(settings_of(dict.fromkeys(names, "hush")))


@pytest.mark.parametrize("text", ["AccountEndpoint=https://c.example;AccountKey=hush", "sv=2026&sig=hush"])
def test_a_connection_string_in_the_place_of_an_address_is_not_shown(text: str) -> None:
    assert error_of(COSMOS_ENDPOINT=text) == "app settings: COSMOS_ENDPOINT: expected an http or https address"


@given(st.dictionaries(st.sampled_from(sorted(NAMES)), st.text(max_size=20), max_size=4))
def test_any_environment_is_read_or_refused_in_words(environ: dict[str, str]) -> None:
    refused = ""
    try:
        settings_of(environ)
    except SettingsError as error:
        refused = str(error)
    assert not refused or any(name in refused for name in environ)


def test_what_is_wrong_with_a_domains_settings_is_told_with_what_is_wrong_with_the_apps_own() -> None:
    message = error_of(RETENTION_ARTIFACT_DAYS="30", TASTE_JOB_MAX_RETRIES="x", JOBS_LEASE_SECONDS="y")
    assert "RETENTION_ARTIFACT_DAYS: expected at least WEEKLY_DIGEST_KEEP_DAYS" in message
    assert "TASTE_JOB_MAX_RETRIES" in message
    assert "JOBS_LEASE_SECONDS" in message


def test_settings_that_were_not_read_are_not_defaults() -> None:
    with pytest.raises(LookupError, match="TasteSettings"):
        load({}).of(TasteSettings)
    assert load({}).having(TasteSettings(max_retries=1)).of(TasteSettings).max_retries == 1
