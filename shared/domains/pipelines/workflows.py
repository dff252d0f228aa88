"""An execution of a pipeline is a run of a workflow that brings its own graph."""

from __future__ import annotations

from shared.domains.pipelines.executions import EXECUTION as NAME
from shared.domains.pipelines.kinds import run_executor
from shared.workflows.declare import graph_workflow

EXECUTION = graph_workflow(NAME, run_executor, public=False)
