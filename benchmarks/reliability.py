"""Reliability: kills, resumes, faults of the disk, mutated files, numbers that are not finite; a table of counts.

    python benchmarks/reliability.py                 everything, a few minutes
    python benchmarks/reliability.py kills --count 3000 --seed 1

Nothing may stand in the last column.
"""

import argparse
import importlib
import json
import os
import time
from dataclasses import asdict

# One thread: the trials fork, and threads do not come along.
os.environ["OMP_NUM_THREADS"] = "1"

DEFAULTS = {"kills": 300, "resumes": 3, "faults": 3, "mutants": 5000, "divergence": 3}
"""How often, or with how many seeds, each trial is done where nothing else is said."""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("trials", nargs="*", metavar="TRIAL", help=", ".join(DEFAULTS))
    options.add_argument("--count", type=int, help="how often; seeds for resumes, faults and divergence")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--json", action="store_true")
    chosen = options.parse_args()
    tallies = []
    for name in chosen.trials or DEFAULTS:
        begin = time.monotonic()
        tally = importlib.import_module(f"trials.{name}").run(chosen.count or DEFAULTS[name], chosen.seed)
        tallies.append(asdict(tally))
        if not chosen.json:
            tell(tallies[-1], time.monotonic() - begin)
    if chosen.json:
        print(json.dumps(tallies))
    raise SystemExit(any(tally["wrong"] for tally in tallies))


def tell(tally: dict, seconds: float) -> None:
    counts = ", ".join(f"{name} {number:g}" for name, number in tally["counts"].items())
    print(
        f"{tally['name']:<12}{tally['tried']:>7}  {seconds:>6.1f} s  wrong {len(tally['wrong'])}   {counts}", flush=True
    )
    for line in tally["wrong"][:20]:
        print(f"    {line}")


if __name__ == "__main__":
    main()
