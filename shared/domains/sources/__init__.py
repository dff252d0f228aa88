"""The scraper: sources, and the jobs that gather items from them."""
