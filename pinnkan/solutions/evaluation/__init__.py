"""Error norms and other judgements of a solution, from arrays only."""

from pinnkan.solutions.evaluation.norms import ErrorReport, ErrorSums, measure_errors

__all__ = ["ErrorReport", "ErrorSums", "measure_errors"]
