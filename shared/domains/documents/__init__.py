"""Documents: what people upload, read in the sandbox, with a durable queue of what is to be read."""
