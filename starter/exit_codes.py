"""How the command line ends: a number for scripts, one sentence for people."""

from enum import IntEnum
from typing import Final


class ExitCode(IntEnum):
    """What a command's exit code says."""

    COMPLETED = 0
    FAILED = 1
    WRONG_USAGE = 2
    CANCELED = 3
    UNREACHABLE = 4
    NO_WORKER = 5
    DETACHED = 130


EXIT_CODES: Final = """Exit codes:

- 0: the restore completed, or the command did what it says

- 1: the restore failed, or refused; type and reason are on stderr

- 2: wrong usage: an unknown option, restore or setting, or `InvalidRequest`

- 3: the restore was cancelled, and rolled back

- 4: Temporal cannot be reached, or lacks the namespace

- 5: no worker polls the task queue

- 130: left with Ctrl-C; the restore goes on
"""
"""Markdown, for --help."""


class Stop(Exception):
    """The command ends here, with this code and this sentence."""

    def __init__(self, code: ExitCode, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
