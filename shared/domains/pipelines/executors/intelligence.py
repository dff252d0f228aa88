"""Documents read by Azure: Document Intelligence, for which the app's own reader stands in, and Content Understanding, for which nothing does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal, Self
from urllib.parse import quote

from pydantic import Field, model_validator

from shared.azure_ai import SCOPE
from shared.domains.pipelines.content import Content
from shared.domains.pipelines.executing import ContentError, Run, executor
from shared.domains.pipelines.executors import extracting
from shared.domains.pipelines.executors.endpoints import refused
from shared.domains.pipelines.executors.extracting import ExtractorSettings
from shared.domains.pipelines.executors.fields import Data
from shared.domains.pipelines.executors.forms import JsonObject, Names
from shared.domains.pipelines.executors.retrieving import bytes_of
from shared.domains.pipelines.executors.services import Service, until_done
from shared.settings import Settings

_API = "2024-11-30"
_LAYOUTS = ("prebuilt-layout", "prebuilt-read", "prebuilt-document")
"""Models whose work the app's own reader can do, for documents that have text."""


class IntelligenceSettings(ExtractorSettings):
    """Which model of which service, and what of its answer is taken."""

    output_field: str = Field(default="doc_intell_output", description="Field of what was read.")
    model_id: str = Field(default="prebuilt-layout", pattern=r"^[\w.~-]{2,64}$", description="Model of the service.")
    extract_text: bool = Field(default=True, description="Write `text`.")
    extract_tables: bool = Field(default=True, description="Write `tables`.")
    extract_key_value_pairs: bool = Field(default=False, description="Write `key_value_pairs`; by the service alone.")
    extract_figures: bool = Field(default=True, description="Write `figures`; by the service alone.")
    pages: str | None = Field(
        default=None, pattern=r"^[\d,\- ]+$", description="Pages that are read.", examples=["1-3,5"]
    )
    locale: str | None = Field(
        default=None, pattern=r"^[A-Za-z-]{2,20}$", description="Language of the document.", examples=["en-US"]
    )
    doc_intel_features: Names = Field(
        default=(), description="More features of the service.", examples=[["ocrHighResolution"]]
    )
    output_format: Literal["markdown", "text"] = Field(default="markdown", description="Form of the text.")
    include_full_result: bool = Field(
        default=False, description="Write the service's whole answer, to `{output_field}_full_result`."
    )
    doc_intelligence_endpoint: str | None = Field(
        default=None,
        description="Address of the service; unset: the app's own reader.",
        examples=["${AZURE_DOCUMENT_INTELLIGENCE_ENDPOINT}"],
    )
    doc_intelligence_credential_type: Literal["default_azure_credential", "azure_key_credential"] = Field(
        default="default_azure_credential", description="The app's identity, or a key."
    )
    doc_intelligence_credential_key: str | None = Field(
        default=None, description="The key, where that is what is used.", repr=False
    )

    @model_validator(mode="before")
    @classmethod
    def _known_as(cls, given: Any) -> Any:
        """The name that connectors have for the same."""
        if isinstance(given, dict) and "endpoint" in given:
            return {
                ("doc_intelligence_endpoint" if name == "endpoint" else name): value for name, value in given.items()
            }
        return given

    @model_validator(mode="after")
    def _has_its_key(self) -> Self:
        if self.doc_intelligence_credential_type == "azure_key_credential" and not self.doc_intelligence_credential_key:
            raise ValueError("doc_intelligence_credential_key is needed for azure_key_credential")
        return self

    @property
    def service(self) -> str | None:
        """The address of the service; None where the app's own reader is meant."""
        given = self.doc_intelligence_endpoint
        return given if given and "<" not in given else None


def _needs(settings: IntelligenceSettings, app: Settings) -> Sequence[str]:
    if settings.service:
        return refused("doc_intelligence_endpoint", settings.service, app)
    if settings.model_id not in _LAYOUTS:
        return [
            f"doc_intelligence_endpoint: the model {settings.model_id} is the service's own; AZURE_DOCUMENT_INTELLIGENCE_ENDPOINT may name it"
        ]
    return ()


@executor(
    "azure_document_intelligence_extractor",
    settings=IntelligenceSettings,
    category="extract",
    aliases=("document_intelligence_extractor",),
    example={"doc_intelligence_endpoint": "https://my-resource.cognitiveservices.azure.com/", "extract_tables": True},
    needs=_needs,
)
async def azure_document_intelligence_extractor(item: Content, settings: IntelligenceSettings, run: Run) -> Content:
    """Read documents by Azure Document Intelligence.

    Writes `text`, `pages`, `tables`, `key_value_pairs` and `figures`. Where no endpoint is named, the app's own reader reads what has text: no pictures of pages, no pairs and no figures. The
    summary says which of both it was, as `extractor`.
    """
    for line in _needs(settings, run.settings):
        raise ContentError(line)
    data = await bytes_of(item, settings.content_field, settings.temp_file_path_field, run)
    output = await _by_service(item, data, settings, run) if settings.service else await _built_in(item, settings, run)
    item.data[settings.output_field] = output
    item.summary_data |= {
        "pages_analyzed": len(output.get("pages", [])),
        "extraction_status": "success",
        "extractor": "azure" if settings.service else "built-in",
    }
    return item


async def _built_in(item: Content, settings: IntelligenceSettings, run: Run) -> Data:
    _, found = await extracting.read(item, settings, run, (), "document")
    output: Data = {
        "pages": [{"page_number": page.number, "text": found.text[page.start : page.end]} for page in found.pages]
    }
    if settings.extract_text:
        output["text"] = found.text
    if settings.extract_tables:
        output["tables"] = extracting.tables_of(found)
    if settings.extract_key_value_pairs:
        output["key_value_pairs"] = []
    if settings.extract_figures:
        output["figures"] = []
    return output


async def _by_service(item: Content, data: bytes, settings: IntelligenceSettings, run: Run) -> Data:
    key = (
        settings.doc_intelligence_credential_key
        if settings.doc_intelligence_credential_type == "azure_key_credential"
        else None
    )
    service = Service("Azure Document Intelligence", str(settings.service), SCOPE, "Ocp-Apim-Subscription-Key", key)
    features = [*settings.doc_intel_features, *(["keyValuePairs"] if settings.extract_key_value_pairs else [])]
    asked = {
        "api-version": _API, "outputContentFormat": settings.output_format, "pages": (settings.pages or "").replace(" ", ""), "locale": settings.locale or "",
        "features": ",".join(dict.fromkeys(features)),
    }  # fmt: skip
    query = "&".join(f"{name}={quote(value, safe=',-')}" for name, value in asked.items() if value)
    path = f"documentintelligence/documentModels/{settings.model_id}:analyze?_overload=analyzeDocument&{query}"
    started = await service.send(run, "POST", path, data, "application/octet-stream")
    body = await until_done(service, run, started, 1.0, 0.9 * settings.timeout_secs)
    result = body.get("analyzeResult") or {}
    if settings.include_full_result:
        item.data[f"{settings.output_field}_full_result"] = result
    return _taken(result, settings)


def _taken(result: Data, settings: IntelligenceSettings) -> Data:
    output: Data = {"pages": [_page(each) for each in result.get("pages") or []]}
    if settings.extract_text:
        output["text"] = result.get("content") or ""
    if settings.extract_tables:
        output["tables"] = [_table(each, number) for number, each in enumerate(result.get("tables") or [], 1)]
    if settings.extract_key_value_pairs:
        output["key_value_pairs"] = [_pair(each) for each in result.get("keyValuePairs") or []]
    if settings.extract_figures:
        output["figures"] = [
            {
                "id": each.get("id"),
                "caption": (each.get("caption") or {}).get("content"),
                "page_numbers": _pages_of(each),
            }
            for each in result.get("figures") or []
        ]
    return output


def _page(page: Data) -> Data:
    lines = "\n".join(str(each.get("content", "")) for each in page.get("lines") or [])
    return {
        "page_number": page.get("pageNumber"),
        "width": page.get("width"),
        "height": page.get("height"),
        "unit": page.get("unit"),
        "text": lines,
    }


def _table(table: Data, number: int) -> Data:
    rows = [[""] * int(table.get("columnCount") or 0) for _ in range(int(table.get("rowCount") or 0))]
    for cell in table.get("cells") or []:
        row, column = int(cell.get("rowIndex") or 0), int(cell.get("columnIndex") or 0)
        if row < len(rows) and column < len(rows[row]):
            rows[row][column] = str(cell.get("content") or "")
    return {
        "table_number": number,
        "page_number": next(iter(_pages_of(table)), None),
        "rows": len(rows),
        "columns": len(rows[0]) if rows else 0,
        "data": rows,
    }


def _pair(pair: Data) -> Data:
    return {
        "key": (pair.get("key") or {}).get("content"),
        "value": (pair.get("value") or {}).get("content"),
        "confidence": pair.get("confidence"),
    }


def _pages_of(part: Data) -> list[int]:
    return sorted({int(each["pageNumber"]) for each in part.get("boundingRegions") or [] if each.get("pageNumber")})


class UnderstandingSettings(ExtractorSettings):
    """Which analyser of which service."""

    ignored: ClassVar[frozenset[str]] = frozenset({"include_full_response"})

    output_field: str = Field(default="content_understanding_result", description="Field of the service's answer.")
    analyzer_id: str = Field(
        default="prebuilt-documentSearch", pattern=r"^[\w.-]{1,64}$", description="Analyser of the service."
    )
    retrieve_figures: bool = Field(default=False, description="Not supported: figures are not fetched, only named.")
    figures_output_field: str = Field(default="figures", description="Without effect: see retrieve_figures.")
    content_understanding_endpoint: str | None = Field(
        default=None, description="Address of the service.", examples=["${AZURE_CONTENT_UNDERSTANDING_ENDPOINT}"]
    )
    content_understanding_credential_type: Literal["default_azure_credential", "subscription_key"] = Field(
        default="default_azure_credential", description="The app's identity, or a key."
    )
    content_understanding_subscription_key: str | None = Field(
        default=None, description="The key, where that is what is used.", repr=False
    )
    content_understanding_api_version: str = Field(default="2025-11-01", description="Version of the service's API.")
    content_understanding_timeout: float = Field(
        default=60, ge=1, description="Longest wait for an answer. Unit: seconds."
    )
    content_understanding_polling_interval: float = Field(
        default=2, ge=0.01, description="Pause between two looks. Unit: seconds."
    )
    content_understanding_max_retries: int = Field(default=3, ge=0, description="Taken: tries are the engine's.")
    content_understanding_retry_backoff_factor: float = Field(
        default=2.0, ge=1, description="Taken: pauses are the engine's."
    )
    content_understanding_model_mappings: JsonObject = Field(
        default={
            "gpt-4.1": "gpt-4.1",
            "gpt-4.1-mini": "gpt-4.1-mini",
            "text-embedding-3-large": "text-embedding-3-large",
        },
        description="Taken: the resource's own defaults say which deployment is which model.",
    )


def _understanding_needs(settings: UnderstandingSettings, app: Settings) -> Sequence[str]:
    endpoint = settings.content_understanding_endpoint
    if not endpoint or "<" in endpoint:
        return [
            "content_understanding_endpoint: Azure Content Understanding is needed; AZURE_CONTENT_UNDERSTANDING_ENDPOINT may name it"
        ]
    if settings.retrieve_figures:
        return ["retrieve_figures: figures are not fetched here"]
    return refused("content_understanding_endpoint", endpoint, app)


@executor(
    "azure_content_understanding_extractor",
    settings=UnderstandingSettings,
    category="extract",
    example={
        "content_understanding_endpoint": "https://my-resource.services.ai.azure.com/",
        "analyzer_id": "prebuilt-invoice",
    },
    needs=_understanding_needs,
)
async def azure_content_understanding_extractor(item: Content, settings: UnderstandingSettings, run: Run) -> Content:
    """Read documents by Azure Content Understanding.

    Writes the service's answer as it is: `result.contents` has Markdown, pages, tables and fields. Needs the service.
    """
    for line in _understanding_needs(settings, run.settings):
        raise ContentError(line)
    data = await bytes_of(item, settings.content_field, settings.temp_file_path_field, run)
    key = (
        settings.content_understanding_subscription_key
        if settings.content_understanding_credential_type == "subscription_key"
        else None
    )
    service = Service(
        "Azure Content Understanding",
        str(settings.content_understanding_endpoint),
        SCOPE,
        "Ocp-Apim-Subscription-Key",
        key,
    )
    path = f"contentunderstanding/analyzers/{settings.analyzer_id}:analyzeBinary?api-version={quote(settings.content_understanding_api_version)}"
    started = await service.send(run, "POST", path, data, "application/octet-stream")
    pause, longest = settings.content_understanding_polling_interval, settings.content_understanding_timeout
    item.data[settings.output_field] = await until_done(service, run, started, pause, longest)
    item.summary_data |= {"extraction_status": "success", "analyzer_id": settings.analyzer_id}
    return item
