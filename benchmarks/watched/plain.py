"""A training without a studio, in a run folder: `python -m watched.plain RECIPE SECONDS` prints its pace."""

import json
import sys
import tempfile
import time

from narrows import fit, load
from narrows.changes import parse
from narrows.train import Step

WARM_UP = 1.0
"""Seconds that are not counted."""


def main(text: str, seconds: float) -> None:
    recipe = parse(json.loads(text))
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(timed(fit(recipe, load(recipe.data.name), folder=folder), seconds)))


def timed(events, seconds: float) -> dict:
    """Steps of a training, by the clock and in processor time."""
    steps, begin, used = 0, time.perf_counter(), time.process_time()
    first = (steps, begin, used)
    for event in events:
        steps += isinstance(event, Step)
        now = time.perf_counter()
        if first[0] == 0 and now - begin > WARM_UP:
            first = (steps, now, time.process_time())
        if now - begin > WARM_UP + seconds:
            break
    pace = {"steps": steps - first[0], "wall": now - first[1], "cpu": time.process_time() - first[2]}
    events.close()
    return pace


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
