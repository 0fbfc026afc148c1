"""Makes children: by fork(2), or by a zygote that forks for the master."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable

from onegate.master.child_main import ChildSpec, after_fork, run_child
from onegate.master.generations import Generation
from onegate.master.process_table import Child, Role
from onegate.master.state import MasterState
from onegate.process.scoreboard import Field, Slot
from onegate.process.signals import SIGNALS
from onegate.process.standard_streams import flush
from onegate.process.subreaper import adopt_orphans

TYPE_CHECKING = False
if TYPE_CHECKING:
    from onegate.master.zygote import Zygote


class Spawner:
    """Makes children and enters them in the table of processes."""

    def __init__(self, state: MasterState) -> None:
        self._state = state

    def spawn(
        self,
        role: Role,
        generation: Generation,
        main: Callable[[ChildSpec], None],
        slot: Slot | None = None,
    ) -> Child:
        """Make a child of ``generation`` that runs ``main``, a worker with ``slot``; of a zygote
        it is requested, and then expected.

        It returns in the master alone. Raises ``OSError`` if the system gives no process; then
        nothing is left of it.
        """
        worker = self._state.generations.next_worker(generation)
        if role is Role.WORKER:
            self._state.generations.worker_begins(worker, generation)
        elif role is Role.SUCCESSOR:
            self._state.generations.call("pre_exec", of=generation)
        flush()
        if slot is not None:
            slot.clear()
        with contextlib.ExitStack() as undo:
            read_end, write_end = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
            undo.callback(os.close, read_end)
            undo.callback(os.close, write_end)
            zygote = _new_zygote() if role is Role.ZYGOTE else None
            if zygote is not None:
                undo.callback(zygote.give_up)
            spec = ChildSpec(
                role=role,
                generation=generation,
                server=self._state.generations.server,
                worker=worker,
                slot=slot,
                scoreboard=self._state.scoreboard,
                status_fd=write_end,
                lifeline=self._state.lifeline,
                activated=self._state.activated,
                zygote=zygote,
                forked_at=time.time(),
            )
            if slot is not None and generation.zygote is not None:
                pid = 0
                generation.zygote.request(slot.index, worker.age, write_end)
            else:
                pid = self._fork(spec, read_end, main)
            undo.pop_all()
        os.close(write_end)
        child = Child(pid, role, generation.number, read_end, slot, worker)
        if zygote is not None:
            zygote.in_master()
            generation.zygote_started(child, zygote)
        if pid:
            self.enter(child)
        else:
            self._state.processes.expect(child)
        return child

    def _fork(self, spec: ChildSpec, read_end: int, main: Callable[[ChildSpec], None]) -> int:
        """The pid of a process that runs ``main``; in that one this does not return."""
        # A signal must not reach the child before it has handlers of its own.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        try:
            pid = os.fork()
            if not pid:
                run_child(spec.role, lambda: self._in_child(spec, read_end, mask, main))
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        return pid

    def _in_child(
        self,
        spec: ChildSpec,
        read_end: int,
        mask: set[signal.Signals | int],
        main: Callable[[ChildSpec], None],
    ) -> None:
        os.close(read_end)
        after_fork(self._state, spec, mask)
        main(spec)

    def enter(self, child: Child) -> None:
        """Note that there is such a child now."""
        if (slot := child.slot) is not None:
            self._state.generations.worker_started(child)
            slot[Field.PID], slot[Field.BEAT] = child.pid, child.since
            slot[Field.GENERATION] = child.generation
        self._state.processes.add(child)


def _new_zygote() -> Zygote:
    from onegate.master.zygote import Zygote  # noqa: PLC0415 - only with --preload

    adopt_orphans()
    return Zygote()
