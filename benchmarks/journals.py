"""How fast journals are written, in a file and on a server, and what readers cost the writer.

    python benchmarks/journals.py [--readers 100] [--poll 2] [--seconds 5] [--pairs 15]
        [--folder DIRECTORY] [--json FILE] [--quick]

A PostgreSQL server of this machine's programs is started for the measurement, its settings as they
are shipped but for autovacuum (every commit waits for the disk), its data and the file beside each
other in ``--folder``, so that both journals write to the same disk. All outcomes have curves of 100
epochs.

1. Writing: outcomes recorded per second, 1, 10 and 100 of them per commit, by a writer that does
   nothing else.
2. Readers: so many followers of one journal, each with a connection of its own, who ask for what
   is new every ``--poll`` seconds as a live page does (`Journal.catch_up`: new rows are read and
   their digests checked). Meanwhile the writer records as a race hands outcomes over, four commits
   a second of ten outcomes each; then as one that does nothing else, outcome by outcome. Given is
   the share by which its commits take longer than without readers, in pairs of stretches one after
   the other, in turn the first and the second with readers, so that whatever else the machine does
   disturbs both alike: the median over the pairs, and their quartiles. In earnest readers sit
   elsewhere: their processes are nicer than writer and server, and it is said how often they look.
   Since that goes by the clock, which counts whatever else a busy machine does, the processor
   seconds per second of writer, readers and server are given too.
"""

from __future__ import annotations

import argparse
import itertools
import json
import multiprocessing
import os
import platform
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.postgres import Server, running  # noqa: E402

from surefoot.candidates.convnet.notation import preset  # noqa: E402
from surefoot.instances import Outcome, Status  # noqa: E402
from surefoot.journal import Journal, Role  # noqa: E402

CANDIDATE = preset("model_1")
CURVE = np.linspace(1.0, 0.1, 100, dtype=np.float32)
COMMITS_PER_SECOND, OUTCOMES_PER_COMMIT = 4, 10
READERS_PER_PROCESS = 25
READERS_NICE = 15
"""By how much readers are nicer than the writer and the server, since they sit elsewhere."""


def outcomes(numbers: Iterator[int], count: int) -> list[Outcome]:
    """Return new outcomes, with numbers of their own."""
    return [
        Outcome(
            candidate=CANDIDATE.key,
            role=Role.RACE,
            instance=next(numbers),
            sample=1000,
            status=Status.FINISHED,
            loss=0.1,
            curve=CURVE,
            seconds=0.05,
            engine="none",
        )
        for _ in range(count)
    ]


def written_per_second(place: str, batch: int, seconds: float) -> float:
    """Return the outcomes per second that a writer records which does nothing else."""
    numbers = itertools.count()
    with Journal.open(place, {"kind": f"batches of {batch}"}, [CANDIDATE]) as journal:
        journal.add(*outcomes(numbers, batch))
        start, count = time.perf_counter(), 0
        while (passed := time.perf_counter() - start) < seconds:
            journal.add(*outcomes(numbers, batch))
            count += batch
    return count / passed


def follow(
    place: str, count: int, poll: float, signs: tuple[Event, Event], started: Any, looks: Any
) -> None:
    """Follow a journal by so many connections, each asking at times of its own while it is to."""
    asking, stop = signs
    os.nice(READERS_NICE)

    def one(turn: float) -> None:
        with Journal.read(place) as journal:
            started.release()
            time.sleep(turn * poll)
            while not stop.wait(poll):
                if asking.is_set():
                    journal.catch_up()
                    with looks.get_lock():
                        looks.value += 1

    threads = [threading.Thread(target=one, args=(n / count,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@contextmanager
def readers(place: str, count: int, poll: float) -> Iterator[tuple[Event, list[int], Any]]:
    """Have so many followers of a journal, in a few processes; they ask while the event is set.

    Yields the event, the processes, and how often the followers asked in all.
    """
    context = multiprocessing.get_context("spawn")
    asking, stop, started = context.Event(), context.Event(), context.Semaphore(0)
    looks = context.Value("q")
    shares = [
        min(READERS_PER_PROCESS, count - done) for done in range(0, count, READERS_PER_PROCESS)
    ]
    processes = [
        context.Process(target=follow, args=(place, share, poll, (asking, stop), started, looks))
        for share in shares
    ]
    for process in processes:
        process.start()
    try:
        for _ in range(count):
            if not started.acquire(timeout=120):
                raise SystemExit("the readers did not start")
        yield asking, [int(process.pid or 0) for process in processes], looks
    finally:
        stop.set()
        for process in processes:
            process.join()


def processor_seconds(processes: list[int]) -> float:
    """Return the processor seconds that processes have used, see proc_pid_stat(5)."""
    spent = 0
    for process in processes:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        spent += int(fields[11]) + int(fields[12])
    return spent / os.sysconf("SC_CLK_TCK")


def commit_seconds(
    journal: Journal, numbers: Iterator[int], seconds: float, *, paced: bool
) -> float:
    """Return the mean seconds of a commit, at the pace of a race or one after the other."""
    begin, spent, count = time.perf_counter(), 0.0, 0
    batch = OUTCOMES_PER_COMMIT if paced else 1
    while time.perf_counter() - begin < seconds:
        new = outcomes(numbers, batch)
        start = time.perf_counter()
        journal.add(*new)
        spent, count = spent + time.perf_counter() - start, count + 1
        if paced:
            time.sleep(max(0.0, begin + count / COMMITS_PER_SECOND - time.perf_counter()))
    return spent / count


def disturbance(
    place: str,
    server: Server | None,
    count: int,
    poll: float,
    seconds: float,
    pairs: int,
    *,
    paced: bool,
) -> dict[str, Any]:
    """Return by what share a writer's commits take longer while others read, and what all use."""
    numbers, found, rates = itertools.count(), [], list[float]()
    used: dict[bool, list[list[float]]] = {True: [], False: []}
    with (
        Journal.open(place, {"kind": f"paced {paced}"}, [CANDIDATE]) as journal,
        readers(place, count, poll) as (asking, processes, looks),
    ):
        groups = [[os.getpid()], processes, [] if server is None else server.processes()]

        def stretch(disturbed: bool) -> float:
            if disturbed:
                asking.set()  # who comes back from a pause reads more at first, which is no matter
                commit_seconds(journal, numbers, 1.5 * poll, paced=paced)
            begin, before = time.perf_counter(), [processor_seconds(group) for group in groups]
            looked = looks.value
            taken = commit_seconds(journal, numbers, seconds, paced=paced)
            after, passed = [processor_seconds(group) for group in groups], time.perf_counter()
            asking.clear()
            if disturbed:
                rates.append((looks.value - looked) / (passed - begin))
            used[disturbed].append(
                [(b - a) / (passed - begin) for a, b in zip(before, after, strict=True)]
            )
            return taken

        commit_seconds(journal, numbers, poll, paced=paced)
        for pair in range(pairs):
            order = (True, False) if pair % 2 else (False, True)
            taken = {disturbed: stretch(disturbed) for disturbed in order}
            found.append((taken[False], taken[True]))
    alone, disturbed = np.array(found).T
    quartiles = np.quantile(disturbed / alone - 1.0, [0.5, 0.25, 0.75])
    names = ("slower_by", "slower_by_first_quartile", "slower_by_third_quartile")
    cores = {
        f"cores_used_{'with_readers' if key else 'alone'}": dict(
            zip(("writer", "readers", "server"), np.mean(one, axis=0).tolist(), strict=True)
        )
        for key, one in used.items()
    }
    return {
        "readers": count,
        "looks_per_second": float(np.mean(rates)),
        "pairs": pairs,
        "milliseconds_of_a_commit_alone": 1e3 * float(np.median(alone)),
        "milliseconds_of_a_commit_with_readers": 1e3 * float(np.median(disturbed)),
        **dict(zip(names, quartiles.tolist(), strict=True)),
        **cores,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--readers", type=int, default=100)
    parser.add_argument("--poll", type=float, default=2.0, help="seconds between two looks")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each stretch")
    parser.add_argument("--pairs", type=int, default=15)
    parser.add_argument("--folder", type=Path, help="where both journals are written")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--quick", action="store_true", help="under a minute, rough")
    options = parser.parse_args()
    if options.quick:
        options.readers, options.seconds, options.pairs = min(options.readers, 20), 1.0, 2
    results: dict[str, Any] = {"cores": os.cpu_count(), "python": platform.python_version()}
    with (
        tempfile.TemporaryDirectory(dir=options.folder) as folder,
        running(options.folder, durable=True) as server,
    ):
        kinds = {
            "file": lambda name: f"{folder}/{name}.db",
            "server": server.url,
        }
        results["postgresql"] = server.sql("SHOW server_version")[0][0]
        for kind, place in kinds.items():
            results[f"outcomes per second, {kind}"] = {
                f"{batch} a commit": written_per_second(
                    place(f"b{batch}"), batch, min(options.seconds, 5.0)
                )
                for batch in (1, 10, 100)
            }
            print(f"{kind}: {results[f'outcomes per second, {kind}']}", flush=True)
        for kind, place in kinds.items():
            for paced in (True, False):
                what = f"readers of a {kind}, " + ("a race's pace" if paced else "saturated")
                results[what] = disturbance(
                    place(f"paced-{paced}"),
                    server if kind == "server" else None,
                    options.readers,
                    options.poll,
                    options.seconds,
                    options.pairs,
                    paced=paced,
                )
                print(f"{what}: {results[what]}", flush=True)
    if options.json is not None:
        options.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
