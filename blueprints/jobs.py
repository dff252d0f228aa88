"""Jobs and their kinds: their routes, the general queues, and the timers that look after every job."""

import azure.functions as func

from blueprints import http, queues, start
from shared.api import jobs, kinds
from shared.declarations import artifacts, settings

bp = func.Blueprint()
http.serve(bp, jobs.api)
http.serve(bp, kinds.api)


def _serve(name: str, queue: str) -> None:
    """Make the two functions of a general queue: for its jobs, and for its poison queue."""

    @bp.function_name(name)
    @bp.queue_trigger("msg", queue, queues.CONNECTION, data_type=func.DataType.BINARY)
    async def process(msg: func.QueueMessage) -> None:
        await queues.process(msg, queue)

    @bp.function_name(f"{name}Dlq")
    @bp.queue_trigger("msg", f"{queue}-poison", queues.CONNECTION, data_type=func.DataType.BINARY)
    async def record(msg: bytes) -> None:
        await queues.record(msg, f"{queue}-poison")


_serve("ProcessJobsHigh", settings().queue_high)
_serve("ProcessJobs", settings().queue_normal)
_serve("ProcessJobsLow", settings().queue_low)
for _queue in sorted({queue for _, queue in settings().kind_queues}):
    _serve(f"ProcessQueue_{_queue.replace('-', '_')}", _queue)


@bp.function_name("SweepRecentJobs")
@bp.timer_trigger("timer", settings().sweep_schedule)
async def sweep_recent_jobs(timer: func.TimerRequest) -> None:
    """Look for what fell between two writes; account for timers; alarms.

    One timer for all three: each costs storage transactions for its lock, whether or not it has anything to do.
    """
    del timer
    app = start.app()
    try:
        await app.engine.sweep()
    finally:
        try:
            await app.ledger.account()
        finally:
            await app.monitor.round()


@bp.function_name("SweepAllJobs")
@bp.timer_trigger("timer", settings().full_sweep_schedule)
async def sweep_all_jobs(timer: func.TimerRequest) -> None:
    """Compare the index with every job."""
    del timer
    await start.app().engine.repair()


@bp.function_name("PurgeExpired")
@bp.timer_trigger("timer", settings().retention_schedule)
async def purge_expired(timer: func.TimerRequest) -> None:
    """Delete what has expired."""
    del timer
    await start.app().engine.purge(artifacts())
