"""Timers and the ledger that accounts for each of their occurrences."""
