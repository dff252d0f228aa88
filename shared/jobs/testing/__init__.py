"""The test kit for jobs: an app in memory, and faults at its storage calls. Not imported by the app.

How to use it is told in docs/how-to/test-your-jobs.md.
"""

from shared.jobs.testing.app import MemoryApp, recover
from shared.jobs.testing.clock import FakeClock
from shared.jobs.testing.faults import Around, Died, Faults, FaultyBlobs, FaultyDocuments, FaultyQueues, Mode
from shared.jobs.testing.host import MAX_DEQUEUE_COUNT, MESSAGE_LEASE, POISON, Host
from shared.jobs.testing.memory import MemoryBlobs, MemoryDocuments, MemoryQueues
from shared.jobs.testing.sweep import MODES, Breakage, Report, Scenario, crash_sweep, handling, outcomes

__all__ = [
    "MAX_DEQUEUE_COUNT", "MESSAGE_LEASE", "MODES", "POISON", "Around", "Breakage", "Died", "FakeClock", "Faults",
    "FaultyBlobs", "FaultyDocuments", "FaultyQueues", "Host", "MemoryApp", "MemoryBlobs", "MemoryDocuments", "MemoryQueues",
    "Mode", "Report", "Scenario", "crash_sweep", "handling", "outcomes", "recover",
]  # fmt: skip
