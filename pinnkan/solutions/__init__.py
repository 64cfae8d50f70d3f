"""Solutions as functions of points: values, fields, errors, verdicts, closed forms."""
