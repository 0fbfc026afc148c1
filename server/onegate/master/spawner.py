"""Makes children: by fork(2), or by a template that forks for the master."""

from __future__ import annotations

import os
import signal
import time

from onegate.master.backoff import Backoff
from onegate.master.child_main import after_fork, main_of, run_child
from onegate.master.generations import Generation, Generations, Nest
from onegate.master.process_table import Child, ProcessTable, Role
from onegate.master.upgrade import Succession
from onegate.process.hooks import Worker as HookWorker
from onegate.process.scoreboard import Field, Scoreboard, Slot
from onegate.process.signals import SIGNALS
from onegate.process.stdio import flush
from onegate.process.subreaper import adopt_orphans

TYPE_CHECKING = False
if TYPE_CHECKING:
    from onegate.master.zygote import Template


class Spawner:
    """Makes children of the present generation and enters them in the table of processes.

    ``activated``: descriptors of socket activation. ``private``: descriptors that the master alone
    may have.
    """

    def __init__(
        self,
        processes: ProcessTable,
        generations: Generations,
        scoreboard: Scoreboard,
        succession: Succession,
        backoff: Backoff,
        *,
        activated: list[int],
        private: list[int],
    ) -> None:
        self._processes = processes
        self._generations = generations
        self._scoreboard = scoreboard
        self._succession = succession
        self._backoff = backoff
        self._activated = activated
        # Held open by the master alone: children see end of file when it is gone.
        self._lifeline, lifeline_write = os.pipe2(os.O_CLOEXEC)
        self._private = [*private, lifeline_write]

    def fork(self, role: Role, generation: Generation, slot: Slot | None = None) -> bool:
        """Make a child of ``generation``; a worker gets ``slot``. Does not return in the child.

        False, and a later try, if the system gives no process.
        """
        nest = self._nest(generation)
        if role is Role.WORKER:
            self._generations.server.worker_age = nest.worker.age
            self._generations.call("pre_fork", nest.worker, of=generation)
        elif role is Role.SUCCESSOR:
            self._generations.call("pre_exec", of=generation)
        flush()
        if slot is not None:
            slot.clear()
        template: Template | None = None
        own: list[int] = []
        # A signal must not reach the child before it has handlers of its own.
        held = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        try:
            own += os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
            line, line_write = own
            template = _new_template() if role is Role.TEMPLATE else None
            pid = self._new_process(generation, slot, nest.worker.age, line_write)
        except OSError as error:
            signal.pthread_sigmask(signal.SIG_SETMASK, held)
            for descriptor in own:
                os.close(descriptor)
            if template is not None:
                template.give_up()
            self._backoff.failed(f"cannot fork a {role.value}: {error.strerror or error}")
            return False
        if not pid:

            def main() -> None:
                after_fork([line, *self._private, *self._processes.lines()], held)
                self._close_unused(nest, role, generation)
                main_of(role, nest, slot, line_write, template, self._scoreboard)

            run_child(role, main)
        signal.pthread_sigmask(signal.SIG_SETMASK, held)
        os.close(line_write)
        child = Child(pid, role, generation.number, line, slot, nest.worker)
        self._enter(child, generation, template)
        return True

    def _nest(self, generation: Generation) -> Nest:
        return Nest(
            settings=generation.settings,
            context=generation.context,
            hooks=generation.hooks,
            server=self._generations.server,
            worker=HookWorker(self._generations.server.worker_age + 1, generation.settings),
            listeners=generation.listeners,
            status=generation.status,
            lifeline=self._lifeline,
            activated=self._activated,
            began=time.time(),
        )

    @staticmethod
    def _new_process(generation: Generation, slot: Slot | None, age: int, line: int) -> int:
        template = generation.template
        if slot is not None and template is not None:
            return template[1].fork(slot.index, age, line)
        return os.fork()

    def _enter(self, child: Child, generation: Generation, template: Template | None) -> None:
        """Note what has been made."""
        if (slot := child.slot) is not None:
            child.worker.pid = child.pid
            self._generations.server.WORKERS[child.pid] = child.worker
            slot[Field.PID], slot[Field.BEAT] = child.pid, child.since
            slot[Field.GENERATION] = generation.number
            self._backoff.shortage_over()
        if template is not None:
            template.in_master()
            generation.template = (child, template)
        self._processes.add(child)

    def _close_unused(self, nest: Nest, role: Role, own: Generation) -> None:
        """In a child: close what belongs to others. A listener that somebody keeps open goes on
        taking connections that nobody accepts."""
        used = nest.listeners + ([nest.status] if nest.status and role is not Role.WORKER else [])
        for listener in (*self._generations.all_listeners(), *self._succession.listeners.values()):
            if listener not in used:
                listener.sock.close()
        for generation in self._generations.known:
            if generation.template is not None:
                generation.template[1].close()
            if generation is not own:
                generation.context.close()
        if role is not Role.SUCCESSOR:
            self._succession.forget()


def _new_template() -> Template:
    from onegate.master.zygote import Template  # noqa: PLC0415 - only with --preload

    adopt_orphans()
    return Template()
