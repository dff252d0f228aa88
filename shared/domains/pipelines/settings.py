"""Settings of pipelines."""

from __future__ import annotations

import re
from dataclasses import dataclass

from shared.settings.spec import Section, Spec, setting, whole


def _hosts(text: str) -> tuple[str, ...]:
    found = tuple(each.strip().lower() for each in text.split(",") if each.strip())
    if not all(re.fullmatch(r"[a-z0-9.-]+(:\d{1,5})?", each) for each in found):
        raise ValueError(text)
    return found


def _folders(text: str) -> tuple[str, ...]:
    found = tuple(each.strip() for each in text.split(",") if each.strip())
    if not all(each.startswith("/") or re.match(r"[A-Za-z]:[\\/]", each) for each in found):
        raise ValueError(text)
    return found


@dataclass(frozen=True, eq=False, repr=False)
class ExecutorOptions(Section):
    """What the executors of pipelines may reach, and take."""

    hosts: tuple[str, ...] = setting(
        Spec(
            "PIPELINE_HOSTS",
            "hosts, or `host:port`, separated by commas",
            "Services that pipelines may name beside those of Azure's own domains: the app signs in to them, and sends them content.",
            _hosts,
        ),
        (),
    )
    folders: tuple[str, ...] = setting(
        Spec(
            "PIPELINE_FOLDERS",
            "absolute paths, separated by commas",
            "Folders of the machine that `local_folder_input` and `content_retriever` may read; unset: none.",
            _folders,
        ),
        (),
    )
    max_file_bytes: int = whole(
        "PIPELINE_MAX_FILE_BYTES", 64 * 2**20, 1024, 2**31, "bytes", "Largest file that a pipeline retrieves."
    )
