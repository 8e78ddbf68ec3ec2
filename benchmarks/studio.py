"""The studio under load: what 200 viewers cost a training, in time and memory, and how late their frames are.

    python benchmarks/studio.py                      about two minutes, two processor cores, no data set
    python benchmarks/studio.py --data mnist --rounds 5

The training has one core; the server, 200 viewers at ten frames a second and 20 that never read have another. In turns
the same recipe is trained by `fit` alone on that core with one thread. What is compared is seconds a step by the clock,
and seconds of processor time a step of the whole process, which other work on the machine blurs less.
"""

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil

from narrows.data import load
from narrows.recipe import recipe_for

HERE = Path(__file__).parent
GOALS = {"slower_by": 0.05, "memory_mb": 50.0, "lag_p99_ms": 200.0}
LINES = (
    "training slower by     {slower_by:.1%} of processor time (goal 5%), {slower_by_the_clock:.1%} by the clock",
    "rounds                 {rounds}",
    "server's memory grows  {memory_mb:.1f} MB (goal 50)",
    "frames are late by     {lag_p50_ms:.0f} ms p50, {lag_p99_ms:.0f} ms p99 (goal 200)",
    "frames                 {frames_a_second:.1f} a second and viewer, of {frame_bytes:,} bytes; {frames:,} in all",
    "the server takes       {server_core:.0%} of its core; {lost} viewers lost",
)
FRAME_BYTES = 8 << 10
SETTLE = 2.0
"""Seconds after the viewers came that are not counted."""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", default="digits")
    options.add_argument("--viewers", type=int, default=200)
    options.add_argument("--deaf", type=int, default=20)
    options.add_argument("--seconds", type=float, default=6.0)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--json", action="store_true")
    chosen = options.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise SystemExit("two processor cores are needed")
    recipe = recipe_for(load(chosen.data)).with_(bottleneck={"kind": "plain", "size": 2}, seed=0)
    recipe = recipe.with_(training={**recipe.training.model_dump(), "epochs": 10_000, "threads": 1, "route": "float32"})
    plain, watched = [], []
    for _ in range(chosen.rounds):
        plain.append(alone(recipe.model_dump_json(), chosen.seconds, cores[0]))
        watched.append(under_load(recipe.model_dump(mode="json"), chosen, cores))
    tell(summary(plain, watched), chosen)


def summary(plain: list[dict], watched: list[dict]) -> dict:
    """The figures: medians over rounds for time, the worst round for the rest."""
    pairs = list(zip(plain, watched, strict=True))
    ratios = {kind: [pace(there, kind) / pace(here, kind) - 1 for here, there in pairs] for kind in ("wall", "cpu")}
    lags = sorted(lag for run in watched for lag in run["lags"])
    return {
        "slower_by": statistics.median(ratios["cpu"]),
        "slower_by_the_clock": statistics.median(ratios["wall"]),
        "rounds": {kind: [round(value, 4) for value in values] for kind, values in ratios.items()},
        "memory_mb": max(run["memory_mb"] for run in watched),
        "lag_p50_ms": 1000 * lags[len(lags) // 2],
        "lag_p99_ms": 1000 * lags[int(len(lags) * 0.99)],
        "frames": len(lags),
        "frames_a_second": statistics.median(run["frames_a_second"] for run in watched),
        "frame_bytes": max(run["frame_bytes"] for run in watched),
        "lost": sum(run["lost"] for run in watched),
        "server_core": statistics.median(run["server_core"] for run in watched),
    }


def pace(run: dict, kind: str) -> float:
    """Seconds a step."""
    return run[kind] / run["steps"]


def environment(**more: str) -> dict[str, str]:
    """The variables of a process: one thread everywhere."""
    places = os.pathsep.join([str(HERE), *sys.path])
    one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return {**os.environ, **one, "PYTHONPATH": places, "GOMP_SPINCOUNT": "1000", **more}


def piece(name: str, *arguments: str, core: int, **more: str) -> subprocess.Popen:
    """A piece of the benchmark on a core of its own."""
    command = [sys.executable, "-m", f"watched.{name}", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment(**more))
    os.sched_setaffinity(process.pid, {core})
    return process


def alone(recipe: str, seconds: float, core: int) -> dict:
    """The training without a studio."""
    return json.loads(piece("plain", recipe, str(seconds), core=core).communicate()[0])


@contextlib.contextmanager
def studio(cores: list[int], folder: Path) -> Iterator[tuple[httpx.Client, psutil.Process, psutil.Process]]:
    """A studio whose trainer has the first core and whose server has the second."""
    server = piece("serve", str(folder / "runs"), core=cores[1], STAMPS=str(folder / "stamps"))
    try:
        port = int(server.stdout.readline())
        token = (folder / "runs" / ".studio" / "token").read_text()
        headers = {"Authorization": f"Bearer {token}"}
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=30, trust_env=False) as http:
            patiently(lambda: http.get("/api/health").status_code == 200)
            process = psutil.Process(server.pid)
            trainer = patiently(lambda: trainer_of(process))
            patiently(lambda: trainer.memory_info().rss > 100 << 20)
            yield http, process, trainer
    finally:
        server.terminate()
        server.wait(20)


def trainer_of(server: psutil.Process) -> psutil.Process | None:
    """The child that trains: the only one there is before anybody asked the bench."""
    found = [child for child in server.children() if any("spawn_main" in word for word in child.cmdline())]
    return found[0] if found else None


def patiently(question, seconds: float = 60.0):
    """Ask until the answer is something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(httpx.HTTPError, psutil.Error):
            if answer := question():
                return answer
        time.sleep(0.1)
    raise SystemExit("the studio does not answer")


def pin(process: psutil.Process, core: int) -> None:
    """Give every thread of a process one core."""
    for thread in process.threads():
        with contextlib.suppress(ProcessLookupError):
            os.sched_setaffinity(thread.id, {core})


def under_load(recipe: dict, chosen: argparse.Namespace, cores: list[int]) -> dict:
    """The training with its viewers."""
    with tempfile.TemporaryDirectory() as place, studio(cores, Path(place)) as (http, server, trainer):
        pin(trainer, cores[0])
        run = http.post("/api/runs", json={"recipes": [recipe]}).json()["runs"][0]["id"]
        patiently(lambda: step_of(http, run) > 0)
        pin(trainer, cores[0])
        before = server.memory_info().rss
        task = {"port": http.base_url.port, "token": http.headers["authorization"][7:], "run": run}
        task |= {"viewers": chosen.viewers, "deaf": chosen.deaf, "seconds": SETTLE + chosen.seconds + 1}
        viewers = piece("viewers", json.dumps(task), core=cores[1])
        time.sleep(SETTLE)
        begin, cpu, served = (step_of(http, run), time.monotonic()), trainer.cpu_times(), server.cpu_times()
        most, end = before, time.monotonic() + chosen.seconds
        while time.monotonic() < end:
            most = max(most, server.memory_info().rss)
            time.sleep(0.2)
        steps, wall = step_of(http, run) - begin[0], time.monotonic() - begin[1]
        used, busy = used_since(trainer, cpu), used_since(server, served)
        seen = json.loads(viewers.communicate()[0])
        sent = stamps(Path(place) / "stamps")
        size = len(http.get(f"/api/runs/{run}/points").content)
        http.post(f"/api/runs/{run}/do", json={"do": "stop"})
        patiently(lambda: not http.post(f"/api/runs/{run}/do", json={"do": "pause"}).is_success)
    lags = [at - sent[step] for came in seen["came"] for step, at in came if step in sent and sent[step] > begin[1]]
    frames = sum(map(len, seen["came"])) / max(1, chosen.viewers) / task["seconds"]
    return {
        "steps": steps, "wall": wall, "cpu": used, "memory_mb": (most - before) / 2**20, "lags": lags,
        "frames_a_second": frames, "frame_bytes": size, "lost": seen["lost"], "server_core": busy / wall,
    }  # fmt: skip


def step_of(http: httpx.Client, run: str) -> int:
    """The step a run is at."""
    return next(row["step"] for row in http.get("/api/runs").json() if row["id"] == run)


def used_since(process: psutil.Process, before) -> float:
    """Seconds of processor time since then."""
    now = process.cpu_times()
    return now.user + now.system - before.user - before.system


def stamps(path: Path) -> dict[int, float]:
    """When the frames of each step were sent first."""
    found: dict[int, float] = {}
    for line in path.read_text().splitlines():
        step, at = line.split()
        found.setdefault(int(step), float(at))
    return found


def tell(figures: dict, chosen: argparse.Namespace) -> None:
    if chosen.json:
        print(json.dumps(figures))
    else:
        print(
            f"{chosen.viewers} viewers, {chosen.deaf} that never read, a run on {chosen.data}, {chosen.rounds} rounds"
        )
        for line in LINES:
            print("  " + line.format(**figures))
    missed = [name for name, goal in GOALS.items() if figures[name] > goal]
    if figures["frame_bytes"] > FRAME_BYTES:
        missed = [name for name in missed if name != "lag_p99_ms"]
    raise SystemExit(f"missed: {', '.join(missed)}" if missed or figures["lost"] else 0)


if __name__ == "__main__":
    main()
