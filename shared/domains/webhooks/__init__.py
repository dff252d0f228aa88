"""Webhooks: outcomes of jobs, told to whoever asked for it, signed as Standard Webhooks says."""
