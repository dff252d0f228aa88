"""Watching the app: what its jobs did, how its services and queues stand, and which alarms are on."""
