"""An interrupt ends the cells that are open, and no others."""

from __future__ import annotations

from wsgi_matrix.engines.open_cells import OpenCells


class Cell:
    """Counts how often it is killed."""

    killed = 0

    def kill(self):
        self.killed += 1


def test_cells_that_are_open_are_killed_and_the_last_one_to_go_is_known():
    cells, one, two, never = OpenCells(), Cell(), Cell(), Cell()
    cells.add(one)
    cells.add(two)
    assert not cells.discard(one)
    cells.kill()
    assert (one.killed, two.killed, never.killed) == (0, 1, 0)
    assert cells.discard(two)
    assert cells.discard(two)
