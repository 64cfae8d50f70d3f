"""The rule from numbers to a verdict."""

from __future__ import annotations

import math

import pytest
from flat_evidence import evidence_of_row

from pinnkan.solutions.evaluation.verdict import RESIDUAL, SLACK, VIOLATION, Verdict, judge, worst


def _evidence(relative, **row):
    return evidence_of_row({"relative": relative, **row})


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (0.0, "solved"),
        (RESIDUAL.doubtful, "solved"),
        (RESIDUAL.doubtful * 1.01, "doubtful"),
        (RESIDUAL.unsolved, "doubtful"),
        (RESIDUAL.unsolved * 1.01, "unsolved"),
        (math.inf, "unsolved"),
        (math.nan, "unsolved"),
    ],
)
def test_the_largest_relative_residual_decides(value, word):
    verdict = judge(_evidence({"equation[0]": 1e-9, "flux": value, "boundary[0]": 0.0}))
    assert verdict.word == word
    assert [("flux" in reason) for reason in verdict.reasons] == ([] if word == "solved" else [True])


def test_a_solved_one_has_no_reasons():
    assert judge(
        _evidence({"equation[0]": 1e-6}, violations={"boundary[0]": 1e-6}, overfitting=1.1)
    ) == Verdict("solved", ())
    assert judge(_evidence({})) == Verdict("solved", ())


@pytest.mark.parametrize(
    ("relative", "mean", "word"),
    [
        (0.09, 0.009, "solved"),  # large in a layer alone
        (0.09, 0.011, "doubtful"),
        (0.009, 0.02, "solved"),
        (0.11, 0.001, "unsolved"),
        (math.nan, 0.001, "unsolved"),
        (0.05, math.nan, "doubtful"),
    ],
)
def test_doubtful_is_what_is_large_in_the_mean_too(relative, mean, word):
    verdict = judge(_evidence({"equation[0]": relative, "b": 1e-3}, means={"equation[0]": mean, "b": 1e-3}))
    assert verdict.word == word
    assert all(f"equation[0] is {relative:.1e}" in reason for reason in verdict.reasons)


def test_a_violation_at_one_point_is_seen():
    verdict = judge(_evidence({"boundary[0]": 1e-6}, violations={"boundary[0]": 2 * VIOLATION.unsolved}))
    assert verdict.word == "unsolved"
    assert "boundary[0] is violated" in verdict.reasons[0]


def test_overfitting_is_named_beside_a_residual_that_is_too_large_only():
    assert judge(_evidence({"equation[0]": 1e-7}, overfitting=50.0)).word == "solved"
    verdict = judge(_evidence({"equation[0]": 0.5}, overfitting=50.0))
    assert verdict.word == "unsolved"
    assert verdict.reasons[1] == ("overfitted: the held-out residual is 50 times that at the training points")


def test_zero_everywhere_is_never_solved():
    assert judge(_evidence({"equation[0]": 0.0}, is_zero=True)) == Verdict(
        "doubtful", ("the solution is zero everywhere",)
    )


def test_an_adapter_carries_that_its_base_is_unsolved():
    assert judge(_evidence({"equation[0]": 1e-7}, base="unsolved")).reasons == ("its base is unsolved",)
    assert judge(_evidence({"equation[0]": 1e-7}, base="doubtful")).word == "solved"


def test_a_reduced_basis_carries_what_its_solutions_are():
    small = {"equation[0]": 1e-7}
    assert judge(_evidence(small, snapshots="solved")).word == "solved"
    for word in ("doubtful", "unsolved"):
        assert judge(_evidence(small, snapshots=word)) == Verdict(
            "doubtful", (f"the solutions that it is made from are {word}",)
        )


def test_the_worst_of_several_verdicts():
    assert worst(["solved", None, "doubtful"]) == "doubtful"
    assert worst(["unsolved", "doubtful", "solved"]) == "unsolved"
    assert worst(["solved"]) == "solved"
    assert worst([None, None]) is None
    assert worst([]) is None


@pytest.mark.parametrize(
    ("estimate", "word"), [(None, "solved"), (9e-3, "solved"), (2e-2, "doubtful"), (0.2, "unsolved")]
)
def test_the_estimate_of_the_error_decides_though_residuals_are_small(estimate, word):
    verdict = judge(_evidence({"equation[0]": 1e-7}, estimate=estimate))
    assert verdict.word == word
    assert verdict.reasons == (() if word == "solved" else (f"the error is estimated at {estimate:.1e}",))


def test_what_residuals_leave_open_is_doubtful_at_most():
    small = {"equation[0]": 1e-7}
    assert judge(_evidence(small, slack=SLACK.doubtful)).word == "solved"
    verdict = judge(_evidence(small, slack=1.0))
    assert verdict.word == "doubtful"
    assert "differs by 1.0e+00 of its size" in verdict.reasons[0]


def test_a_training_that_never_moved_is_named():
    verdict = judge(_evidence({"equation[0]": 0.5}, held_out=[1.0, None, 0.97, 0.96]))
    assert verdict.reasons[1] == "no step lowered the held-out residual by a tenth"
    assert len(judge(_evidence({"equation[0]": 0.5}, held_out=[1.0, None, 0.7, 0.96])).reasons) == 1


@pytest.mark.parametrize(
    ("evidence", "word", "reason"),
    [
        (
            {"jump": 0.9, "jump_place": "u_x jumps near x = 0.5"},
            "unsolved",
            "u_x jumps near x = 0.5, which no residual sees",
        ),
        (
            {"beyond": 0.031, "bracket": "a solution lies between 0 and 1"},
            "doubtful",
            "a solution lies between 0 and 1",
        ),
        ({"estimate": 0.05}, "doubtful", "the error is estimated at 5.0e-02"),
        ({"estimate": math.inf}, "unsolved", "no answer was found"),
    ],
)
def test_what_no_residual_sees(evidence, word, reason):
    assert judge(_evidence({"equation[0]": 1e-9}, **evidence)) == Verdict(word, (reason,))


@pytest.mark.parametrize(("share", "word"), [(0.019, "solved"), (0.021, "doubtful"), (0.11, "unsolved")])
def test_a_part_of_the_domain_that_is_not_solved_is_seen(share, word):
    verdict = judge(_evidence({"equation[0]": 1e-6}, pointwise={"equation[0]": share, "b": 1e-6}))
    assert verdict.word == word
    assert all("residual of equation[0] is" in reason for reason in verdict.reasons)
