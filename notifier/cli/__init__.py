"""The command ``notifier``. Data goes to standard output, everything else to standard error.

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration.
"""

from __future__ import annotations

import sqlite3
import sys

from notifier.cli.table import app
from notifier.errors import ConfigurationError, NotifierError

FAILED = 1
WRONG_USAGE = 2


def main() -> None:
    """Run the command line; an error of ours is a sentence, not a traceback."""
    try:
        app(_config_first(sys.argv[1:]))
    except ConfigurationError as error:
        sys.stderr.write("The configuration can't be used:\n")
        for fault in error.faults:
            sys.stderr.write(f"  {fault}\n")
        sys.exit(WRONG_USAGE)
    except NotifierError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(FAILED)
    except sqlite3.Error as error:
        sys.stderr.write(f"The store can't be used: {error}.\n")
        sys.exit(FAILED)
    except BrokenPipeError:
        sys.stderr.close()  # whoever read our output has gone; there is nobody to tell
        sys.exit(FAILED)


def _config_first(arguments: list[str]) -> list[str]:
    """``--config DIR`` may stand anywhere; the parser wants it before the command."""
    for place, argument in enumerate(arguments):
        if argument == "--":
            break
        if argument == "--config" and place + 1 < len(arguments):
            rest = arguments[:place] + arguments[place + 2 :]
            return ["--config", arguments[place + 1], *rest]
        if argument.startswith("--config="):
            return [argument, *arguments[:place], *arguments[place + 1 :]]
    return arguments
