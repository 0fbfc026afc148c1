"""The cells of the matrix, a test item for each cell and check, and the comparison across all.

`--matrix-apps flask` runs the cells of one framework, `--matrix-suite hello` those of one suite;
without them all of `matrix.toml` runs.
"""

from __future__ import annotations


def test_cell(matrix_check):
    matrix_check.hold()


def test_identical_to_all_other_runs_of_the_same_images(matrix_across):
    assert not matrix_across, "\n".join(
        f"{cell} {check.id}: {check.detail}" for cell, check in matrix_across
    )
