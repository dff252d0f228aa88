"""The executors, a module a subject. Each module's top level declares them (`shared.domains.pipelines.executing`); nothing lists them."""
