"""Faults of the input and of the environment, each with the exit code it ends the process with.

Everything here is a message for the user: the command line prints it in one
piece and exits with ``exit_code``. A bug is any other exception; it keeps its
traceback and exits with `BUG`.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

BUG = 70
"""Exit code of any exception that is no fault of input or environment."""


class PinnkanError(Exception):
    """A fault that is not a bug; base of all others."""

    exit_code = 2


class UsageError(PinnkanError):
    """An option, an argument or a combination of them that cannot be served."""


class OtherSettingsError(UsageError):
    """A finished result stands where one of other settings is asked for; only ``--force`` replaces it.

    Args:
        path: Its file.
        why: Which settings are others.
    """

    remedy = "--force trains again, over what is there; 'pinnkan finetune --tag NAME' trains beside it"

    def __init__(self, path: object, why: str) -> None:
        self.why = why
        super().__init__(f"{path} is finished, with {why}; {self.remedy}")


class ProblemError(PinnkanError):
    """A problem file with one or more faults, each already rendered with its place.

    Args:
        faults: One text per fault, ``file:line:column: error: ...`` and, on
            further lines, the offending text with a caret.
    """

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        count = len(self.faults)
        super().__init__("\n".join([*self.faults, f"{count} error{'s' if count != 1 else ''}"]))


class DamagedFileError(PinnkanError):
    """A stored file that is damaged, foreign, hostile or of an unknown version."""

    exit_code = 3


class WrongBaseError(DamagedFileError):
    """An adapter that was trained for another base."""


class DivergedError(PinnkanError):
    """Training ended without a finite solution."""

    exit_code = 4


class UnsolvedError(PinnkanError):
    """A result is there, and what was measured of it says that it is none."""

    exit_code = 4


class ToleranceMissedError(PinnkanError):
    """A figure stayed above the bound that the user set."""

    exit_code = 5


class FileAccessError(PinnkanError):
    """The operating system refused to read or write (full, no permission, ...)."""

    exit_code = 74

    @classmethod
    def of(cls, action: str, path: object, error: OSError) -> FileAccessError:
        """Name the action, the path and the system's own words for the cause."""
        return cls(f"cannot {action} {path}: {error.strerror or error}")


class StoppedError(PinnkanError):
    """Stopped by a signal, with the state saved from which the same command goes on."""

    exit_code = 75


class UnsavedError(StoppedError):
    """Stopped by a signal, and the system refused to save the state."""

    exit_code = 74


def stopped(lost: Sequence[str], message: str) -> StoppedError:
    """Return how processes that a signal stopped ended: what any of them could not save, or the message."""
    return UnsavedError("; ".join(lost)) if lost else StoppedError(message)


class RemoteError(PinnkanError):
    """A fault of one value that another process met.

    Args:
        kind: Name of its exception.
        message: What it said.
        exit_code: What it would end a process with.
    """

    def __init__(self, kind: str, message: str, exit_code: int) -> None:
        self.kind, self.exit_code = kind, exit_code
        super().__init__(message)

    def __reduce__(self) -> tuple[type[RemoteError], tuple[str, str, int]]:
        return type(self), (self.kind, str(self), self.exit_code)


def environmental(error: BaseException) -> PinnkanError | None:
    """Return the fault that an exception of Python, NumPy or torch stands for; None if it is a bug."""
    if isinstance(error, PinnkanError):
        return error
    if _is_out_of_memory(error):
        return FileAccessError("out of memory; try fewer points, a smaller network or --dtype float32")
    if isinstance(error, OSError):
        place = f" {error.filename}" if error.filename else ""
        return FileAccessError(f"cannot read or write{place}: {error.strerror or error}")
    return None


def _is_out_of_memory(error: BaseException) -> bool:
    """Recognise NumPy's and torch's ways to say so; torch's are plain RuntimeErrors on a CPU."""
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError)
        and (type(error).__name__ == "OutOfMemoryError" or "can't allocate memory" in str(error))
    )


class Terminated(BaseException):
    """SIGTERM arrived; like KeyboardInterrupt, no ``except Exception`` may swallow it."""


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """Return ``; did you mean 'x'?`` for the nearest known word, or an empty string."""
    near = get_close_matches(word, known, n=1, cutoff=0.6)
    return f"; did you mean '{near[0]}'?" if near else ""


def quote(text: str, most: int = 40) -> str:
    """Return the text in single quotes, printable and shortened, for use inside a message."""
    clean = "".join(c if c.isprintable() else "?" for c in text)
    return f"'{clean if len(clean) <= most else clean[: most - 3] + '...'}'"
