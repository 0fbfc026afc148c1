"""Where a server's time goes: py-spy over its worker while it is under load."""

from __future__ import annotations

import subprocess
from collections import Counter
from typing import TYPE_CHECKING

from bench import load
from bench.process import Running
from bench.tools import ToolError

if TYPE_CHECKING:
    from bench.model import App, Scenario, Server
    from bench.rounds import Options
    from bench.tools import Tools

RATE = 500  # samples a second
SHOWN = 40  # lines


def shares(folded: str) -> list[tuple[float, float, str]]:
    """From folded stacks ("a;b;c 12" a line) to each function's own and total share, own first."""
    own: Counter[str] = Counter()
    total: Counter[str] = Counter()
    everything = 0
    for line in folded.splitlines():
        stack, _, number = line.rpartition(" ")
        count = int(number)
        frames = stack.split(";")
        own[frames[-1]] += count
        total.update(dict.fromkeys(frames, count))
        everything += count
    return [(own[f] / everything, total[f] / everything, f) for f, _ in own.most_common()]


def profile(
    server: Server,
    app: App,
    scenario: Scenario,
    *,
    recorder: str,
    tools: Tools,
    options: Options,
) -> str:
    """The functions of a server under a load, by their own share of the samples.

    ``recorder`` is the path of py-spy.
    The stacks are kept beside the logs, for any tool that draws flame graphs.
    """
    seconds = max(options.seconds, 3)
    output = tools.state / f"{server.name}-{app.name}-{scenario.name}.folded"
    with Running(server, app, tools, options.cores(server.workers)) as running:
        running.wait()

        def wrk(duration: int) -> load.Loaded:
            return load.wrk(
                scenario,
                running.port,
                state=tools.state,
                core=options.load_core,
                connections=options.connections,
                seconds=duration,
            )

        wrk(1)
        times = running.processor_times()
        worker = max(times, key=lambda each: times[each]).pid
        command = [
            "taskset",
            "-c",
            str(options.load_core),
            recorder,
            "record",
            "--function",
            "--format",
            "raw",
        ]
        command += ["--rate", str(RATE), "--duration", str(seconds), "--output", str(output)]
        with subprocess.Popen(
            [*command, "--pid", str(worker)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as recording:
            loaded = wrk(seconds + 1)
            said = recording.communicate()[0].decode()
        if recording.returncode:
            raise ToolError(f"py-spy: {said.strip()}")
    lines = [f"{server.name}, {app.name}, {scenario.title}: {loaded.rps:.0f} requests/s, sampled"]
    lines += ["   own  total  function"]
    lines += [f"{o:6.1%} {t:6.1%}  {name}" for o, t, name in shares(output.read_text())[:SHOWN]]
    return "\n".join([*lines, f"stacks: {output}"])
