"""Executors that read from containers and folders, and write into containers."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from shared.domains.pipelines.catalogue import executors
from shared.domains.pipelines.executing import ContentError
from support.executors import Bench, item

NAMES = {"in/a.pdf": 5, "in/b.TXT": 1, "in/deep/c.pdf": 9, "in/deep/er/d.pdf": 3, "other.pdf": 2, "in/e/": 0}


@pytest.fixture
async def bench() -> Bench:
    made = Bench()
    for number, (name, size) in enumerate(NAMES.items()):
        made.clock.advance(60)
        await made.containers("docs").create(name, b"x" * size, {"owner": f"u{number}"})
    return made


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({}, ["in/a.pdf", "in/b.TXT", "in/deep/c.pdf", "in/deep/er/d.pdf", "other.pdf"]),
        ({"prefix": "in/", "file_extensions": ".PDF, docx"}, ["in/a.pdf", "in/deep/c.pdf", "in/deep/er/d.pdf"]),
        ({"prefix": "in/", "file_extensions": ["txt"]}, ["in/b.TXT"]),
        ({"prefix": "in/", "max_depth": 1}, ["in/a.pdf", "in/b.TXT", "in/deep/c.pdf"]),
        ({"min_size_bytes": 3, "max_size_bytes": 5}, ["in/a.pdf", "in/deep/er/d.pdf"]),
        ({"sort_by": "size", "sort_ascending": False}, ["in/deep/c.pdf", "in/a.pdf", "in/deep/er/d.pdf", "other.pdf", "in/b.TXT"]),
        ({"sort_by": "name", "sort_ascending": False, "prefix": "in/d"}, ["in/deep/er/d.pdf", "in/deep/c.pdf"]),
        ({"sort_by": "last_modified", "prefix": "in/d"}, ["in/deep/c.pdf", "in/deep/er/d.pdf"]),
        ({"modified_after": "2026-01-05T12:04:00"}, ["in/deep/er/d.pdf", "other.pdf"]),
        ({"modified_before": "2026-01-05T12:01:00+00:00"}, ["in/a.pdf"]),
    ],
)  # fmt: skip
async def test_blobs_are_found_by_every_filter(bench: Bench, settings: dict[str, Any], found: list[str]) -> None:
    for name in ("azure_blob_input_discovery", "azure_blob_input"):
        made = await bench.find(name, {"blob_container_name": "docs", **settings})
        assert [each.content.id.path for each in made] == found


async def test_what_is_found_says_what_it_is_and_changes_with_its_blob(bench: Bench) -> None:
    (found,) = await bench.find("azure_blob_input", {"blob_container_name": "docs", "prefix": "in/a"})
    content = found.content
    assert content.data["blob_name"] == "a.pdf"
    assert content.data["content_type"] == "application/pdf"
    assert content.data["metadata"] == {"owner": "u0"}
    assert content.scope()["metadata"]["file_type"] == "pdf"
    assert found.changed_at == bench.clock.now() - timedelta(minutes=5)
    there = await bench.containers("docs").read("in/a.pdf")
    assert there
    await bench.containers("docs").replace("in/a.pdf", b"new", there.etag)
    (again,) = await bench.find(
        "azure_blob_input", {"blob_container_name": "docs", "prefix": "in/a", "include_metadata": False}
    )
    assert again.content.id.canonical_id == content.id.canonical_id
    assert again.content.id.unique_id != content.id.unique_id
    assert "metadata" not in again.content.data


async def test_folders_are_found_once_each(bench: Bench) -> None:
    settings = {"blob_container_name": "docs", "discover_mode": "virtual_folders"}
    assert [each.content.data["folder_prefix"] for each in await bench.find("azure_blob_input", settings)] == ["in/"]
    below = await bench.find("azure_blob_input", {**settings, "prefix": "in/"})
    assert [each.content.data["folder_name"] for each in below] == ["deep"]


@pytest.mark.parametrize("name", ["hot-topics", "azure-webjobs-secrets"])
async def test_the_app_s_own_containers_are_not_for_pipelines(bench: Bench, name: str) -> None:
    with pytest.raises(ContentError, match="not for pipelines"):
        await bench.find("azure_blob_input", {"blob_container_name": name})
    with pytest.raises(ContentError, match="not for pipelines"):
        await bench.do("azure_blob_output", {"container_name": name}, item())
    for executor, setting in (("azure_blob_input", "blob_container_name"), ("azure_blob_output", "container_name")):
        assert name in bench.needs(executor, {setting: name})[0]


async def test_blobs_are_retrieved_within_the_limit(bench: Bench) -> None:
    found = [
        each.content for each in await bench.find("azure_blob_input", {"blob_container_name": "docs", "prefix": "in/a"})
    ]
    for name in ("content_retriever", "azure_blob_content_retriever"):
        (made,) = await bench.do(name, {"include_content_bytes_as_field": True}, *found)
        assert await bench.files.load(made.data["temp_file_path"]) == b"xxxxx"
        assert made.data["content"] == {"file": made.data["temp_file_path"]}
        assert made.data["metadata"] == {
            "owner": "u0",
            "source": "azure_blob",
            "container": "docs",
            "path": "in/a.pdf",
            "size": 5,
        }
    small = Bench({"PIPELINE_MAX_FILE_BYTES": "1024"}, containers=bench.containers)
    await bench.containers("docs").create("in/a.big", b"x" * 2000)
    found[0].id.path = "in/a.big"
    with pytest.raises(ContentError, match="2,000 bytes; 1,024 are taken"):
        await small.do("content_retriever", {}, *found)
    found[0].id.path = "in/a"  # the beginning of a name is none
    with pytest.raises(ContentError, match="there is no blob 'in/a'"):
        await bench.do("content_retriever", {}, *found)


async def test_files_are_read_from_folders_that_are_allowed(tmp_path: Path) -> None:
    inbox, secret = tmp_path / "inbox", tmp_path / "secret"
    (inbox / "sub").mkdir(parents=True)
    secret.mkdir()
    (inbox / "a.txt").write_text("hello")
    (inbox / "sub" / "b.md").write_text("deep")
    (inbox / ".hidden").write_text("no")
    (secret / "key").write_text("no")
    (inbox / "link.txt").symlink_to(secret / "key")
    bench = Bench({"PIPELINE_FOLDERS": str(inbox)})
    found = await bench.find("local_folder_input", {"folder": str(inbox)})
    assert [each.content.id.filename for each in found] == ["a.txt", "b.md"]
    flat = await bench.find("local_folder_input", {"folder": str(inbox), "recursive": False, "file_extensions": "txt"})
    assert [each.content.id.filename for each in flat] == ["a.txt"]
    (made,) = await bench.do("content_retriever", {}, found[0].content)
    assert await bench.files.load(made.data["temp_file_path"]) == b"hello"
    for path in (secret / "key", inbox / "link.txt", inbox / ".." / "secret" / "key", Path("inbox/a.txt")):
        found[0].content.id.path = str(path)
        with pytest.raises(ContentError, match="none of the folders"):
            await bench.do("content_retriever", {}, found[0].content)
    with pytest.raises(ContentError, match="none of the folders"):
        await bench.find("local_folder_input", {"folder": str(secret)})
    assert bench.needs("local_folder_input", {"folder": str(inbox)}) == []
    assert "none of PIPELINE_FOLDERS" in bench.needs("local_folder_input", {"folder": str(secret)})[0]
    assert "PIPELINE_FOLDERS" in Bench().needs("local_folder_input", {"folder": str(inbox)})[0]


async def test_an_item_is_written_once_however_often_it_is_tried(bench: Bench) -> None:
    (before,) = await bench.do("pass_through", {}, item(text="é", tags=["a"]))
    settings = {"container_name": "out", "metadata_fields": "tags, id.filename", "overwrite_existing": False}
    (made,) = await bench.do("azure_blob_output", settings, before)
    bench.clock.advance(3600)
    (again,) = await bench.do("azure_blob_output", settings, before)
    about = made.summary_data["blob_output"]
    assert about["blob_path"] == again.summary_data["blob_output"]["blob_path"]
    assert about["blob_path"].startswith("step/2026/01/05/")
    (listed,) = [each async for each in bench.containers("out").list("")]
    assert listed.metadata["tags"] == '["a"]'
    assert listed.metadata["id_filename"] == "a.txt"
    there = await bench.containers("out").read(listed.name)
    assert there
    assert json.loads(there.data)["data"]["text"] == "é"
    before.data["text"] = "other"
    with pytest.raises(ContentError, match="overwrite_existing is off"):
        await bench.do("azure_blob_output", settings, before)
    await bench.do("azure_blob_output", {**settings, "overwrite_existing": True}, before)


@pytest.mark.parametrize(("compression", "suffix"), [(None, ""), ("none", ""), ("gzip", ".gz"), ("zip", ".zip")])
async def test_a_field_is_written_and_packed(bench: Bench, compression: str | None, suffix: str) -> None:
    settings = {
        "container_name": "out", "content_field": "a.b", "compression": compression, "pretty_print": False,
        "path_template": "../{category}/{missing}//", "filename_template": "{id.filename}.json",
    }  # fmt: skip
    await bench.do("azure_blob_output", settings, item(a={"b": [1]}, category="x/../y"))
    found = await bench.containers("out").read(f"x/y/unknown/a.txt.json{suffix}")
    assert found
    data = found.data
    if compression == "gzip":
        data = gzip.decompress(data)
    if compression == "zip":
        data = zipfile.ZipFile(io.BytesIO(data)).read("content.json")
    assert data == b"[1]"
    with pytest.raises(ContentError, match=r"no field 'a\.b'"):
        await bench.do("azure_blob_output", settings, item())


async def test_a_dry_run_writes_nothing() -> None:
    bench = Bench(dry=True)
    (made,) = await bench.do("azure_blob_output", {"container_name": "out"}, item(text="t"))
    assert made.executor_logs[-1].status == "skipped"
    assert [each async for each in bench.containers("out").list("")] == []


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("azure_blob_input", {}),
        ("azure_blob_input", {"blob_container_name": "c", "blob_storage_credential_type": "azure_key_credential"}),
        ("azure_blob_input", {"blob_container_name": "c", "modified_after": "soon"}),
        ("azure_blob_input", {"blob_container_name": "c", "min_size_bytes": 5, "max_size_bytes": 4}),
        ("azure_blob_output", {"container_name": "c", "credential_type": "azure_key_credential"}),
    ],
)
def test_settings_that_cannot_work_are_refused(name: str, settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        executors()[name].settings.model_validate(settings)
