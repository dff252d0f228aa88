"""What schemathesis is not to try: the host drops parameters of a query that have no value before the app sees them."""

from __future__ import annotations

from typing import Any

import schemathesis


@schemathesis.hook
def filter_case(context: schemathesis.HookContext, case: schemathesis.Case[Any]) -> bool:
    """Whether a case is one that reaches the app as it was made up."""
    del context
    return all(value not in ("", [], {}, [""]) for value in dict(case.query or {}).values())
