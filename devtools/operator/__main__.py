"""Run an operator's verb: ``python -m devtools.operator VERB``."""

import sys

from devtools.operator.cli import main

sys.exit(main(sys.argv[1:]))
