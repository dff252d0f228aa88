"""Pipelines: what is done to each piece of content that is found, written in YAML."""
