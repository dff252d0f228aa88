"""What was gathered: one model of an item, and where items are kept."""
