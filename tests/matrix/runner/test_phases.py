"""What is told of phases, and in which order."""

from __future__ import annotations

import threading

from wsgi_matrix.runner import events
from wsgi_matrix.runner.phases import Phases


def test_another_name_begins_another_phase_and_only_details_are_notes():
    told = []
    phases = Phases([told.append])
    phases.note("images", "")
    phases.note("images", "one")
    phases.note("bundles", "two")
    phases.end()
    phases.end()  # there is none
    assert [type(event).__name__ + " " + event.name for event in told] == [
        "PhaseStarted images",
        "PhaseNote images",
        "PhaseDone images",
        "PhaseStarted bundles",
        "PhaseNote bundles",
        "PhaseDone bundles",
    ]
    assert phases.seconds == {e.name: e.seconds for e in told if isinstance(e, events.PhaseDone)}


def test_the_seconds_of_a_phase_that_comes_again_add_up():
    told = []
    phases = Phases([told.append])
    for name in ("images", "bundles", "images"):
        with phases.within(name):
            pass
    first, _, again = [event for event in told if isinstance(event, events.PhaseDone)]
    assert again.seconds > first.seconds
    assert phases.seconds["images"] == again.seconds
    assert list(phases.seconds) == ["images", "bundles"]


def test_a_phase_ends_with_what_is_raised_in_it():
    told = []
    phases = Phases([told.append])
    try:
        with phases.within("cells"):
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        told.append("out")
    assert [each if each == "out" else type(each).__name__ for each in told] == [
        "PhaseStarted",
        "PhaseDone",
        "out",
    ]


def test_handlers_are_told_of_one_event_at_a_time():
    """A second thread comes while the handler is still busy with the first."""
    order, busy, entered = [], threading.Event(), threading.Event()

    def handler(event):
        order.append(f"{event.name} begins")
        if event.name == "b":
            entered.set()
        else:
            busy.set()
            entered.wait(0.1)
        order.append(f"{event.name} ends")

    phases = Phases([handler])
    first = threading.Thread(target=phases.tell, args=(events.PhaseStarted("a"),))
    first.start()
    assert busy.wait(120)
    phases.tell(events.PhaseStarted("b"))
    first.join(120)
    assert order == ["a begins", "a ends", "b begins", "b ends"]
