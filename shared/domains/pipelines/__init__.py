"""Pipelines: written in YAML, made of executors, fed by input sources, run as workflows."""
