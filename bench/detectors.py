"""How well detectors detect: precision, recall and time to detection of each kind, silence, and what it all costs."""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from bench import hostile, labelled, measured, weeks
from bench.figures import Figure, load, show
from bench.judging import Judge, Score, is_alarm
from bench.labelled import LabelError, Labelled, Truth
from bench.measured import Result, Task

#: A home gets at most so many alarms in a week in which nothing happens.
_SILENT: Final = 1
_RECALL: Final = 0.9
_PRECISION: Final = 0.95
_SEEDS: Final = (1, 2)
_QUICK_SEEDS: Final = (1,)
_COST: Final = 2.0
_SHOWN: Final = 40


class Bench:
    """What is measured, and what there is to say beside figures."""

    def __init__(self, folder: Path, *, seeds: Sequence[int], workers: int) -> None:
        """Take where captures are written, whose weeks, and how many replays run at the same time."""
        self.folder = folder
        self.seeds = seeds
        self.workers = workers
        self.notes: list[str] = []

    def weeks(self) -> list[Figure]:
        """Measure the built-in weeks."""
        self._say("writing weeks with intrusions")
        captures = [weeks.write(self.folder, seed) for seed in self.seeds]
        return self.judge(captures)

    def silence(self) -> list[Figure]:
        """Count the alarms of peaceful weeks."""
        self._say("writing peaceful weeks")
        named = {}
        for seed in self.seeds:
            whole = weeks.write(self.folder, seed, chosen=())
            # As it comes nobody has said anything, nor brought any list
            plain = replace(whole, policy=None, feeds=(), geo=())
            named[f"seed {seed}"] = plain
            named[f"seed {seed}, with segments, lists and places"] = whole
        figures = []
        results = measured.replayed(map(Task, named.values()), self.workers)
        for name, result in zip(named, results, strict=True):
            self._complain(result)
            alarms = [each for each in result.events if is_alarm(each)]
            mild = len(result.events) - len(alarms)
            figures += [
                Figure(f"alarms in a peaceful week, {name}", len(alarms), "events", _SILENT),
                Figure(f"info and low in that week, {name}", mild, "events"),
            ]
            self.notes += [f"{name}: {each.kind}: {each.summary}" for each in alarms]
        return figures

    def brought(self, folder: Path) -> list[Figure]:
        """Measure captures that somebody brings; raises LabelError."""
        captures = labelled.read(folder, self.notes)
        self.notes += labelled.missing(captures)
        return self.judge([each for each in captures if each.file.is_file()])

    def judge(self, captures: Sequence[Labelled]) -> list[Figure]:
        """Replay captures and compare what is told with their labels."""
        judge = Judge()
        packets = failed = 0
        seconds = 0.0
        largest = 0
        results = measured.replayed(map(Task, captures), self.workers)
        for number, (capture, result) in enumerate(zip(captures, results, strict=True), 1):
            self._say(f"replayed {capture.file.name}, {number} of {len(captures)}")
            self._complain(result)
            failed += result.failed
            if not result.packets:
                for each in capture.events:
                    judge.score(each.kinds[0]).labelled += 1
                continue
            truths = [each.at(*result.span) for each in capture.events]
            self.notes += [
                f"{capture.file.name}: {odd}" for each in truths for odd in _oddities(each, result)
            ]
            judge.take(capture.file.name, truths, result.events, _same(result))
            packets, seconds = packets + result.packets, seconds + result.seconds
            largest = max(largest, result.resident)
        self.notes += [f"missed: {each}" for each in judge.missed]
        self.notes += [f"false: {each}" for each in judge.wrong]
        return [
            *_of_kinds(judge),
            Figure("time per packet", round(seconds / max(packets, 1) * 1e6, 2), "us"),
            Figure("largest memory of a replay", round(largest / 2**20, 1), "MB"),
            Figure("observations that a detector failed at", failed, "times", 0),
        ]

    def cost(self) -> list[Figure]:
        """Measure what detection adds to a replay."""
        self._say("writing weeks to measure the cost with")
        capture = weeks.write(self.folder, self.seeds[0], days=9, chosen=())
        tasks = [Task(capture, detects) for detects in (True, False, False, True)]
        found = list(measured.replayed(tasks, 1))
        own = [found[0], found[3]], [found[1], found[2]]
        time_with, time_without = (sum(each.seconds for each in pair) for pair in own)
        space_with, space_without = (max(each.resident for each in pair) for pair in own)
        packets = found[0].packets * 2
        return [
            Figure(
                "replay without detection", round(time_without / packets * 1e6, 2), "us per packet"
            ),
            Figure(
                "replay with detection",
                round(time_with / packets * 1e6, 2),
                "us per packet",
                _COST,
                "replay without detection",
                round(time_with / time_without, 2),
            ),
            Figure(
                "memory of detection, nine days",
                round((space_with - space_without) / 2**20, 1),
                "MB",
            ),
        ]

    def state(self) -> list[Figure]:
        """Measure how much memory a hostile crowd takes."""
        self._say("a crowd that invents names and peers")
        return hostile.measure()

    def _complain(self, result: Result) -> None:
        """Note what could not be read."""
        self.notes += result.problems

    @staticmethod
    def _say(text: str) -> None:
        """Tell how far it is."""
        print(text, file=sys.stderr, flush=True)


def _oddities(truth: Truth, result: Result) -> Iterator[str]:
    """Yield what makes it unlikely that a label is meant as it stands."""
    first, last = result.span
    if truth.start > last or (truth.end is not None and truth.end < first):
        yield f"its label {truth.kinds[0]} is of a time before its first or after its last packet"
    known = {each for mac, addresses in result.devices.items() for each in (mac, *addresses)}
    if truth.who and known.isdisjoint(truth.who):
        shown = ", ".join(sorted(known)[:5])
        there = f"there are {shown}" if shown else "there is nobody"
        yield f"its label {truth.kinds[0]} is of {', '.join(truth.who)}, who is not in it; {there}"


def _same(result: Result) -> Callable[[str], Iterator[str]]:
    """Return what gives all names of a result's device."""
    return lambda who: measured.same(result.devices, who)


def _of_kinds(judge: Judge) -> list[Figure]:
    """Return each kind's figures, and all kinds' together."""
    figures: list[Figure] = []
    for kind, score in sorted(judge.scores.items()):
        figures += _of_kind(kind, score)
    total = judge.total()
    told = total["true"] + total["false"]
    if total["labelled"]:
        figures += [
            Figure(
                "all: recall",
                _share(total["found"], total["labelled"]),
                "",
                _RECALL,
                bound="at least",
            ),
            Figure(
                "all: noticed under any kind",
                _share(total["found"] + total["otherwise"], total["labelled"]),
                "",
            ),
        ]
    if told:
        figures.append(
            Figure("all: precision", _share(total["true"], told), "", _PRECISION, bound="at least")
        )
    figures.append(Figure("all: false alarms", total["false"], "events"))
    figures.append(Figure("all: unlabelled info and low", total["mild"], "events"))
    return figures


def _of_kind(kind: str, score: Score) -> Iterator[Figure]:
    """Yield one kind's figures."""
    if score.recall is not None:
        name = (
            f"{kind}: recall ({score.found} of {score.labelled}, {score.alarmed} as medium or more)"
        )
        yield Figure(name, round(score.recall, 3), "", _RECALL, bound="at least")
    if score.precision is not None:
        name = f"{kind}: precision ({score.true} true, {score.false} false, {score.beside} beside, {score.mild} mild)"
        yield Figure(name, round(score.precision, 3), "", _PRECISION, bound="at least")
    if score.delay is not None:
        name = f"{kind}: time to detection, median (at most {max(score.delays):.0f} s)"
        yield Figure(name, round(score.delay, 1), "s")


def _share(part: int, whole: int) -> float:
    """Return a share."""
    return round(part / whole, 3)


#: The parts of the measurement by name.
PARTS: Final[Mapping[str, Callable[[Bench], list[Figure]]]] = {
    "weeks": Bench.weeks,
    "silence": Bench.silence,
    "cost": Bench.cost,
    "state": Bench.state,
}


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="bench/detectors", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print a JSON list")
    parser.add_argument("--quick", action="store_true", help="the weeks of one seed instead of two")
    parser.add_argument(
        "--part", choices=PARTS, action="append", help="measure only this (repeatable)"
    )
    parser.add_argument(
        "--folder",
        type=Path,
        metavar="DIR",
        help="measure the captures there instead, as its labels.json or labels.csv says (docs/performance.md)",
    )
    parser.add_argument("--seed", type=int, action="append", help="these weeks (repeatable)")
    options = parser.parse_args()
    seeds = options.seed or (_QUICK_SEEDS if options.quick else _SEEDS)
    figures = [load("before")]
    with tempfile.TemporaryDirectory(prefix="hearthwall-detectors-", dir="/var/tmp") as folder:
        bench = Bench(Path(folder), seeds=seeds, workers=2)
        if options.folder is not None:
            try:
                figures += bench.brought(options.folder)
            except LabelError as error:
                print(f"bench/detectors: {error}", file=sys.stderr)
                return 2
        else:
            for name in options.part or PARTS:
                figures += PARTS[name](bench)
    figures.append(load("after"))
    print(show(figures, as_json=options.json))
    for each in bench.notes[:_SHOWN]:
        print(each, file=sys.stderr)
    if len(bench.notes) > _SHOWN:
        print(f"and {len(bench.notes) - _SHOWN} more", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
