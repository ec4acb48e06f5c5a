"""Prints each rule of the scale with what holds it, and fails where one is not kept."""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from quality.project import Project
from quality.scale import judge, strays

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Judge a checkout."""
    parser = argparse.ArgumentParser(prog="scripts/quality", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON document instead of a table")
    parser.add_argument("--root", type=Path, default=ROOT, help="another checkout")
    options = parser.parse_args()
    project = Project(options.root)
    findings, unknown = judge(project), strays(project)
    kept = not unknown and not any(each.faults for each in findings)
    if options.json:
        rules = [asdict(each) for each in findings]
        sys.stdout.write(json.dumps({"kept": kept, "rules": rules, "unknown": unknown}) + "\n")
        return 0 if kept else 1
    for each in findings:
        mark = "FAILS" if each.faults else each.status
        sys.stdout.write(f"{each.tier:<9} {each.rule:<32} {mark:<7} {each.comment}".rstrip() + "\n")
        for fault in each.faults:
            sys.stdout.write(f"{'':10}- {fault}\n")
    for name in unknown:
        sys.stdout.write(f"{'':10}- {name} is no rule\n")
    broken = sum(bool(each.faults) for each in findings)
    sys.stdout.write(f"{len(findings)} rules, {broken} not kept\n")
    return 0 if kept else 1


sys.exit(main())
