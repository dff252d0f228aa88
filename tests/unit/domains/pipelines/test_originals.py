"""The original's own pipelines, as their authors wrote them: each validates, and what needs no service runs to its end on real documents."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from shared.declarations import settings_of
from shared.domains.pipelines.catalogue import executors
from shared.domains.pipelines.checking import check
from shared.domains.pipelines.content import Content, content_id
from shared.jobs.model import Status
from support.pipelines import Pipes
from support.shared_folder import data
from support.sites import Handler, Site, open_site

FOLDER, DOCUMENTS = data("pipelines"), data("documents")
FILES = sorted(each for each in FOLDER.glob("*.yaml") if each.name != "executor_catalog.yaml")
TEXTS = {each: each.read_text(encoding="utf-8") for each in FILES}
REAL = {
    "pdf_extractor": "expected/textract/pdf__raw_text.pdf",
    "word_extractor": "expected/textract/docx__raw_text.docx",
    "powerpoint_extractor": "expected/docling/pptx/powerpoint_sample.pptx",
    "excel_extractor": "expected/markitdown/test.xlsx",
}
SERVICES = ("Azure", "AZURE_", "Cosmos DB for Gremlin")
LACKING = 10
"""Files of which no pipeline runs without a service of Azure."""
PAGE = "<html><title>News</title><body><h1>Hello</h1><div class='article-body'>text</div><div id='main-content'>x</div><a href='/blog/a'>a</a></body></html>"


class Everywhere(dict[str, Handler]):
    """One page, wherever one asks."""

    def get(self, path: str, default: Any = None) -> Handler:
        async def page(_: web.Request) -> web.Response:
            return web.Response(text=PAGE if path != "/robots.txt" else "", content_type="text/html")

        return page


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with open_site() as opened:
        opened.handlers = Everywhere()
        yield opened


def real(path: str, **fields: Any) -> Content:
    file = DOCUMENTS / path
    about = {"source_name": "local_folder", "source_type": "local_file", "path": str(file), "filename": file.name}
    return Content(id=content_id(f"local_file:{file}", **about), data=fields)


def items_for(text: str) -> list[Content]:
    """Documents of the sorts that a pipeline reads; a set of four where it reads sets."""
    if "document_set" in text:
        made = [
            real("expected/textract/txt__raw_text.txt", revenue=100 + n, total_revenue=n, text="t") for n in range(4)
        ]
        for number, each in enumerate(made, 1):
            each.id.filename, each.id.canonical_id = f"Q{number}.txt", f"set:{number}"
        return made
    paths = [path for type_, path in REAL.items() if type_ in text] or list(REAL.values())
    return [real(path, text="Ann Lee of Acme Inc paid $5 on 3 March 2020. It was great.") for path in paths]


def test_there_are_all_of_them() -> None:
    assert len(FILES) == 36
    settings = settings_of({})
    checked = {each.name: check(each.read_text(encoding="utf-8"), settings) for each in FILES}
    assert [(name, each.errors) for name, each in checked.items() if each.errors] == []
    assert sum(bool(each.lacks) for each in checked.values()) == LACKING
    for one in checked.values():
        assert all(any(name in lack.message for name in SERVICES) for lack in one.lacks)


@pytest.mark.parametrize("file", FILES, ids=lambda each: each.stem)
async def test_what_lacks_nothing_runs_to_its_end(file: Path, site: Site) -> None:
    text = re.sub(r"https://[a-z.]*\.(?:com|example)(?=/)", site.url(""), TEXTS[file])
    environ = {
        "PIPELINE_FOLDERS": str(DOCUMENTS), "FETCH_ALLOWED_HOSTS": site.host, "FETCH_HOST_INTERVAL_SECONDS": "0",
    }  # fmt: skip
    checked = check(text, settings_of(environ))
    if checked.lacks:
        pytest.skip(f"without a service: {checked.lacks[0].message}")
    within = {name for pipeline in checked.pipelines.values() for name in pipeline.uses}
    for name in (each for each in checked.main if each not in within):
        pipes = Pipes(environ=environ)
        pipeline = await pipes.pipeline(text, name=name)
        first = executors()[checked.pipelines[name].nodes[0].type]
        job = await pipes.execute(pipeline, *([] if first.shape == "input" else items_for(text)))
        assert job.status is Status.COMPLETED, job.error
        assert {each.state.value for each in (await pipes.steps()).values()} == {"completed"}
        out = await pipes.out(checked.pipelines[name].order()[-1])
        assert [each.executor_logs[-1].errors for each in out if each.failed] == []
        assert out or first.name == "azure_blob_input_discovery"


def test_the_catalogue_is_all_there_with_its_settings_and_defaults() -> None:
    import yaml

    catalogue = yaml.safe_load((FOLDER / "executor_catalog.yaml").read_text(encoding="utf-8"))["executor_catalog"]
    assert len(catalogue) == 37
    known = executors()
    missing = [
        f"{each['id']}.{name}"
        for each in catalogue
        for name in each.get("settings_schema", {})
        if name not in known[each["id"]].settings.model_fields and name not in known[each["id"]].settings.ignored
    ]
    assert missing == []
    other = {}
    for each in catalogue:
        fields = known[each["id"]].settings.model_fields
        for name, spec in each.get("settings_schema", {}).items():
            default = spec.get("default")
            field = fields.get(name)
            known_default = field is not None and not field.is_required() and isinstance(default, bool | int | float)
            if field is not None and known_default and field.default != default:
                other[f"{each['id']}.{name}"] = (default, field.default)
            if field is not None and spec.get("options") and default in spec["options"]:
                assert field.default == default, (each["id"], name)
    assert other == {
        "azure_blob_input_discovery.polling_interval_seconds": (300, None)
    }  # unset: the app's own default, 300
