"""What pipelines are kept in. The names are ContentFlow's; its `COSMOS_DB_CONTAINER_*` settings change them (`PipelineSettings`)."""

from __future__ import annotations

from shared.containers import Artifacts, Container

PIPELINES = Container(
    "pipelines",
    "Pipelines, each with its versions. `pk` = the pipeline's id; a version's id is that with `@` and its number.",
    unindexed=("/text/?", "/definition/*"),
)
VAULTS = Container(
    "vaults", "Vaults: which pipeline is fed from which source. `pk` = the vault's id.", unindexed=("/input/*",)
)
EXECUTIONS = Container(
    "vault_executions",
    "Executions of pipelines; how they fare, their jobs know. `pk` = the execution's id; they go by themselves.",
    unindexed=("/items/*", "/content/*"),
)
LOCKS = Container("vault_exec_locks", "Who looks for content, one at a time for each vault. `pk` = the lock's name.")
CHECKPOINTS = Container(
    "vault_crawl_checkpoints", "How far the look for content has come. `pk` = the vault's id.", unindexed=("/seen/*",)
)
RECORDS = Container(
    "pipeline_records",
    "What pipelines write with `cosmos_output`. `pk` = the collection that the pipeline names.",
)
ITEMS = Artifacts("pipelines/", "The content items of executions, and their files.")
