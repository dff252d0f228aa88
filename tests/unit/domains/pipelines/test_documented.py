"""The pipelines that the documentation shows, as it shows them."""

from __future__ import annotations

import re
from pathlib import Path

from shared.domains.pipelines.checking import check
from shared.jobs.model import Status
from support.pipelines import Pipes, item
from support.shared_folder import data

GUIDE = (Path(__file__).parents[4] / "docs" / "how-to" / "pipelines.md").read_text(encoding="utf-8")
NOTES, INVOICES = re.findall(r"^```yaml\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE)
REPORT = data("documents") / "expected/textract/pdf__raw_text.pdf"


async def test_the_first_one_runs() -> None:
    pipes = Pipes()
    checked = check(NOTES, pipes.settings)
    assert (checked.errors, checked.lacks, checked.main) == ([], [], ["notes"])
    told = item(text="The council met on Monday. It talked about the library.")
    assert (await pipes.execute(await pipes.pipeline(NOTES), told)).status is Status.COMPLETED
    (made,) = await pipes.out("sum-up")
    assert made.data["language"]["language"] == "English"
    assert made.data["keywords"]["keywords"]
    assert "library" in made.data["summary"]


async def test_the_fed_one_is_fed_and_keeps_what_is_not_private() -> None:
    pipes = Pipes()
    checked = check(INVOICES, pipes.settings)
    assert (checked.errors, checked.lacks, checked.main) == ([], [], ["invoices"])
    await pipes.pipeline(INVOICES)
    await pipes.app.containers("invoices").create("a/report.pdf", REPORT.read_bytes())
    await pipes.app.containers("invoices").create("a/notes.txt", b"no PDF")
    await pipes.vault()
    await pipes.app.drain()
    assert await pipes.executed() == ["report.pdf"]
    (execution,) = (await pipes.executions.page(10, None)).items
    (kept,) = await pipes.out("keep", str(execution["id"]))
    assert kept.data["pdf_output"]["text"]
    assert kept.data["summary"]
    assert ("cosmos_output" in kept.summary_data) == (kept.summary_data["pii_count"] == 0)
