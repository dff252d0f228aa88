"""Content collection: listings of Reddit, feeds and single pages, brought to one model of items and kept as blobs."""
