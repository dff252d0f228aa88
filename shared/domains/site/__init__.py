"""The site: what was collected is enriched, item by item, and published as static pages, edition by edition."""
