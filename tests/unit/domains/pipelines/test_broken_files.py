"""Files that are wrong, each refused at the right line and column. In the texts below `§` stands before the place that is told; it is no part of the file."""

from __future__ import annotations

import pytest

from shared.declarations import settings_of
from shared.domains.pipelines.checking import check

HEAD = "executors:\n  - {id: a, type: pass_through}\n  - {id: b, type: pass_through}\n"
ONE = "pipeline:\n  name: p\n  executors:\n    - id: a\n"
EDGES = f"{HEAD}edges:\n"

BROKEN: list[tuple[str, str]] = [
    # no YAML
    ("executors: [§", "expected"),
    ("executors:\n  - id: a\n   §type: b", "expected"),
    ("executors:\n§\t- id: a", "tab|cannot start"),
    ("a: 'b\n§", "end of stream"),
    ("executors:\n  - &x {id: a, type: pass_through}\n  - {<§<: *x, id: b}\n".replace("<§<", "§<<"), "merge keys"),
    ("executors:\n  - {id: a, type: pass_through}\n  - §*y\n", "alias"),
    ("a: §!!python/object:os.system {}", "tag"),
    ("a: 1\n§---\nb: 2", "document"),
    ("name: x\n§name: y\nexecutors: []", "there already, in line 1"),
    (ONE + "      type: pass_through\n      §type: pass_through\n", "there already, in line 5"),
    ("a: {b: [c, d§}", "expected"),
    # no pipeline
    ("§", "pipeline"),
    ("§just text", "pipeline"),
    ("§- a\n- b", "pipeline"),
    ("§name: x", "pipeline"),
    ("§pipelinez: []\nexecutors: [{id: a, type: pass_through}]", "did you mean 'pipeline'"),
    ("pipelines: §5", "list"),
    ("pipelines:\n  - §5", "keys with values"),
    ("pipelines:\n  - §executors: [{id: a, type: pass_through}]", "name"),
    ("pipelines:\n  - name: §[x]\n    executors: [{id: a, type: pass_through}]", "name"),
    ("pipelines:\n  - {name: x, executors: [{id: a, type: pass_through}]}\n  - {name: §x, executors: [{id: a, type: pass_through}]}", "two pipelines 'x'"),
    ("pipeline:\n  name: p\n  §executors: []", "at least one executor"),
    ("pipeline:\n  name: p\n  executors: §text", "list"),
    ("pipeline:\n  name: p\n  §executers: []\n  executors: [{id: a, type: pass_through}]", "did you mean 'executors'"),
    # executors
    ("executors:\n  - §text", "keys with values"),
    ("executors:\n  - §type: pass_through", "id"),
    ("executors:\n  - id: §'a b'\n    type: pass_through", "id"),
    ("executors:\n  - {id: a, type: pass_through}\n  - {id: §a, type: pass_through}", "two executors 'a'"),
    (ONE + "      type: §pdf_extracter\n", "did you mean 'pdf_extractor'"),
    ("executors:\n  - §id: a", "`type` is missing"),
    (ONE + "      type: pass_through\n      §setings: {}\n", "did you mean 'settings'"),
    (ONE + "      type: pdf_extractor\n      settings:\n        §extract_txt: true\n", "did you mean 'extract_text'"),
    (ONE + "      type: pdf_extractor\n      settings:\n        max_concurrent: §many\n", "integer"),
    (ONE + "      type: pdf_extractor\n      settings:\n        max_concurrent: §0\n", "greater than or equal to 1"),
    (ONE + "      type: pdf_extractor\n      settings:\n        image_format: §'gif'\n", "'png', 'jpeg' or 'jpg'"),
    (ONE + "      type: pdf_extractor\n      settings:\n        extract_text: §[a]\n", "bool"),
    (ONE + "      type: pdf_extractor\n      settings: §5\n", "keys with values"),
    (ONE + "      type: field_mapper\n      settings:\n        mappings: §'{a'\n", "not JSON"),
    (ONE + "      type: content_classifier\n      §settings:\n        scale: x\n", "categories|scale"),
    (ONE + "      type: azure_blob_input\n      §settings:\n        prefix: x\n", "needs the setting 'blob_container_name'"),
    (ONE + "      type: azure_blob_input\n      settings:\n        blob_container_name: c\n        modified_after: §soon\n", "ISO 8601"),
    (ONE + "      type: pii_detector\n      settings:\n        custom_patterns: §['(']\n", "no regular expression"),
    (ONE + "      type: pass_through\n      enabled: true\n      settings:\n        enabled: true\n".replace("      enabled", "      §enabled", 1), "among the settings already"),
    # conditions
    (ONE + "      type: pass_through\n      condition: text §= 1\n", "'==' is"),
    (ONE + "      type: pass_through\n      condition: \"document.§open('x')\"\n", "no function 'open'"),
    (ONE + "      type: pass_through\n      settings:\n        condition: §metdata.type == 'x'\n", "did you mean 'metadata'"),
    (ONE + "      type: pass_through\n      condition: metadata['type'] in [1, 2§\n", "expected"),
    # names of the environment, pipelines and connectors
    (ONE + "      type: azure_blob_input\n      settings:\n        blob_container_name: §${PATH}\n", "may not be read by pipelines"),
    (ONE + "      type: subpipeline\n      settings:\n        pipeline: §q\n", "no pipeline 'q'"),
    (ONE + "      type: content_retriever\n      connectors: [§storage]\n", "no connector is called 'storage'"),
    (ONE + "      type: for_each_content\n      settings:\n        steps:\n          - §{id: x, typ: pass_through}\n", "needs the setting 'steps.0.type'"),
    # order and edges
    (f"{HEAD}execution_sequence: [a, §c]", "no executor 'c' here"),
    (f"{HEAD}execution_sequence: [a, b, §a]", "in the sequence already"),
    (f"{HEAD}execution_sequence: §[]", "at least one executor"),
    (f"{EDGES}  - {{from: a, to: §c}}", "no executor 'c' here"),
    (f"{EDGES}  - §{{from: a}}", "missing"),
    (f"{EDGES}  - §{{from: a, too: b}}", "missing"),
    (f"{EDGES}  - {{from: a, to: b, type: §paralel}}", "did you mean 'parallel'"),
    (f"{EDGES}  - {{from: a, to: [§x, b]}}", "no executor 'x' here"),
    (f'{EDGES}  - from: a\n    to:\n      - target: b\n        condition: "text §b"', "expected"),
    (f"{EDGES}  - {{from: a, to: b}}\n  - §{{from: b, to: a}}", "circle"),
    ("pipelines:\n  - §{name: x, executors: [{id: a, type: subpipeline, settings: {pipeline: x}}]}", "in a circle: x -> x"),
]  # fmt: skip


def test_there_are_fifty_of_them() -> None:
    assert len({text for text, _ in BROKEN}) == len(BROKEN) >= 50


@pytest.mark.parametrize(("text", "words"), BROKEN)
def test_a_broken_file_is_refused_at_its_line_and_column(text: str, words: str) -> None:
    import re

    before = text.partition("§")[0]
    expected = before.count("\n") + 1, len(before) - before.rfind("\n")
    found = check(text.replace("§", "", 1), settings_of({}))
    assert found.errors
    first = found.errors[0]
    assert (first.place.line, first.place.column) == expected, first.line("file")
    assert re.search(words, first.message), first.line("file")
    assert found.pipelines == {}
