"""The adapters: one file for each service behind a port of `shared.ports`.

Only the composition root names an adapter, through `shared.adapters.opening`, which imports an SDK when it is needed.
"""
