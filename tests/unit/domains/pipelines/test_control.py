"""Executors that run others."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from shared.domains.pipelines.catalogue import executors
from shared.domains.pipelines.executing import ContentError, Step
from support.executors import Bench, item

CHUNK = [{"id": "c", "type": "recursive_text_chunker"}]


def bench() -> Bench:
    made = Bench()
    for name in ("other", "third"):
        mapped = {"mappings": {"text": name}, "fail_on_missing_source": True}
        made.pipelines[name] = [Step(id="m", type="field_mapper", settings=mapped)]
    return made


async def test_a_chain_runs_over_each_item_and_one_that_fails_passes_as_it_came() -> None:
    made = await bench().do("for_each_content", {"steps": CHUNK}, item("a", text="x"), item("b"), item("c", text="y"))
    assert [each.data.get("chunks") is not None for each in made] == [True, False, True]
    assert "there is no field 'text'" in made[1].summary_data["error"]
    with pytest.raises(ContentError, match="no field 'text'"):
        await bench().do(
            "for_each_content", {"steps": CHUNK, "continue_on_error": False, "fail_pipeline_on_error": True}, item("b")
        )


@pytest.mark.parametrize("settings", [{"steps": CHUNK}, {"pipeline": "other"}])
async def test_items_are_processed_side_by_side(settings: dict[str, Any]) -> None:
    made = await bench().do("parallel_document_processor", settings, *(item(str(n), text=str(n)) for n in range(9)))
    assert [each.id.filename for each in made] == [str(n) for n in range(9)]
    with pytest.raises(ValidationError):
        executors()["parallel_document_processor"].settings.model_validate(
            {**settings, "steps": CHUNK, "pipeline": "x"}
        )


@pytest.mark.parametrize("name", ["subpipeline", "sub-pipeline", "subworkflow"])
async def test_another_pipeline_runs_over_items_and_over_their_parts(name: str) -> None:
    (made,) = await bench().do(name, {"pipeline": "other"}, item(text="t"))
    assert made.data["other"] == "t"
    pages = {"pages": [{"page_number": n, "text": f"p{n}"} for n in (1, 2)]}
    settings = {"subworkflow_name": "other", "split_by": "pages"}
    parts = await bench().do(name, settings, item(pdf_output=pages))
    assert [(each.data["other"], (each.id.metadata or {})["page"]) for each in parts] == [("p1", 1), ("p2", 2)]
    (whole,) = await bench().do("batch_aggregator", {"merge_strategy": "concatenate", "separator": "+"}, *parts)
    assert (whole.id.canonical_id, whole.data["other"]) == ("test://a.txt", "p1+p2")
    chunks = await bench().do(
        name, {"pipeline": "other", "split_by": "chunks", "chunk_size": 100}, item(text="x" * 250)
    )
    assert [len(each.data["other"]) for each in chunks] == [100, 100, 50]


async def test_chunks_are_items_of_another_pipeline() -> None:
    settings = {"subworkflow": "other", "max_parallel": 5, "timeout_seconds": 9}
    parts = await bench().do("chunk_processor", settings, item(chunks=[{"chunk_id": "k", "text": "a"}, {"text": "b"}]))
    assert [(each.data["other"], each.id.canonical_id[-8:]) for each in parts] == [("a", "#chunk_k"), ("b", "#chunk_1")]


@pytest.mark.parametrize(
    ("data", "route"),
    [
        ({"kind": "a"}, "other"),
        ({"answer": {"type": "a"}}, "other"),
        ({"kind": "b"}, "third"),
        ({}, "third"),
    ],
)
async def test_items_are_routed(data: dict[str, Any], route: str) -> None:
    routes = [{"condition": "kind == 'a'", "subworkflow": "other"}, {"condition": "default", "subworkflow": "third"}]
    settings = {"classification_field": "kind", "routes": routes}
    (made,) = await bench().do("conditional_router", settings, item("f.pdf", text="t", **data))
    assert made.summary_data["route"] == route
    assert made.data[route] == "t"


async def test_what_no_route_is_for_passes() -> None:
    settings = {"routes": [{"condition": "file_type == 'pdf'", "subworkflow": "other"}]}
    (made,) = await bench().do("conditional_router", settings, item("f.txt"))
    assert "route" not in made.summary_data
    with pytest.raises(ValidationError, match="a value expected"):
        executors()["conditional_router"].settings.model_validate(
            {"routes": [{"condition": "a ==", "subworkflow": "x"}]}
        )
