"""What finds sentences and words in a text."""
