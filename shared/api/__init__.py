"""The engine's own resources over HTTP: jobs, dead letters, timers, kinds, queues, what is measured, the dashboard."""
