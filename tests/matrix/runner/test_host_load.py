"""How busy the machine was while a cell ran."""

from __future__ import annotations

import os

from wsgi_matrix.runner import host_load
from wsgi_matrix.runner.host_load import Meanwhile


def pressure(total):
    return f"some avg10=9.00 avg60=1.00 avg300=0.50 total={total}\nfull avg10=0.00 total=7\n"


def test_the_share_of_the_time_that_somebody_waited_in(tmp_path, monkeypatch):
    monkeypatch.setattr(host_load, "PRESSURE", tmp_path / "cpu")
    clock = iter([100.0, 110.0, 110.0])
    monkeypatch.setattr(host_load.time, "monotonic", lambda: next(clock))
    (tmp_path / "cpu").write_text(pressure(1_000_000))
    meanwhile = Meanwhile()
    (tmp_path / "cpu").write_text(pressure(6_000_000))
    found = meanwhile.load()
    monkeypatch.undo()
    assert found.waited == 0.5
    assert found.cores == len(os.sched_getaffinity(0))
    assert found.average >= 0


def test_a_kernel_that_does_not_tell(tmp_path, monkeypatch):
    monkeypatch.setattr(host_load, "PRESSURE", tmp_path / "none")
    assert Meanwhile().load().waited is None
