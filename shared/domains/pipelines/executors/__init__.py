"""The executors, a file for each group of them. What a module defines of `Executor` is found (`shared.domains.pipelines.catalogue`)."""
