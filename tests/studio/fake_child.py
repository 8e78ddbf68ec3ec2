"""A child without torch: it counts steps, says what it is told to say, and misbehaves on demand."""

import os
import struct
import time
from pathlib import Path

from narrows.studio import wire
from narrows.studio.hub import KINDS


def main(connection, role):
    queue = wire.listen(connection)
    wire.send(connection, {"event": "ready"})
    (Trainer(connection, queue) if role == "trainer" else Bench(connection, queue)).work()


def points(step, value=0):
    return struct.pack("<BBBBIII", ord("N"), 1, KINDS["points"], 0, step, 1, 0) + struct.pack(
        "<4f2H", 0, 0, 1, 1, value, 0
    )


class Trainer:
    """Trains nothing, a step every few milliseconds; the run's seed decides how it behaves."""

    CRASH, DEAF, REPORTS, READS = 666, 667, 668, 669
    REPORT_SECONDS = READ_SECONDS = 2.0

    def __init__(self, connection, queue):
        self.connection, self.queue = connection, queue
        self.runs, self.step, self.is_paused, self.begin = [], {}, False, 0.0

    def work(self):
        while True:
            message, _ = self.queue.get()
            if message["do"] == "exit":
                return
            if message["do"] == "start":
                self.train(message["runs"])

    def say(self, run, event, *frames, **values):
        wire.send(self.connection, {"event": event, "id": run["id"], **values}, *frames)

    def train(self, runs):
        self.is_paused, self.begin = False, time.time()
        time.sleep(self.READ_SECONDS * (runs[0]["recipe"]["seed"] == self.READS))
        for run in runs:
            self.step[run["id"]] = 100 if run["resume"] else 0
            Path(run["folder"], "recipe.json").write_text("{}")
            self.say(
                run, "started", epochs=1000, steps=10, step=self.step[run["id"]], parameters=1, place={}, counts={}
            )
            self.say(run, "state", state="running")
        while self.advance_all(runs) and self.obeys(runs):
            time.sleep(0.01)
        owed = sum(run["recipe"]["seed"] == self.REPORTS for run in runs)
        wire.send(self.connection, {"event": "idle", "owed": owed})
        time.sleep(self.REPORT_SECONDS * owed)
        wire.send(self.connection, {"event": "settled"})

    def advance_all(self, runs):
        going = [self.advance(run) for run in runs]
        return any(going)

    def advance(self, run):
        if run["recipe"]["seed"] == self.CRASH:
            os.abort()
        if self.is_paused:
            return True
        step = self.step[run["id"]] = self.step[run["id"]] + 1
        curve = {"step": [step], "loss": [1 / step]}
        self.say(run, "progress", epoch=step // 10 + 1, step=step, seconds=0.1, rate=9.0, curve=curve)
        if step % 10 == 0:
            terms = {"loss": 1 / step}
            self.say(run, "epoch", epoch=step // 10, step=step, train=terms, valid=terms, best=True, seconds=0.1)
        self.say(run, "frames", points(step), step=step)
        if step >= run["recipe"]["training"]["epochs"] * 10:
            self.say(run, "state", state="done")
            return False
        return True

    def obeys(self, runs):
        """Whether training goes on after all commands that have come."""
        deaf = runs[0]["recipe"]["seed"] == self.DEAF
        while not self.queue.empty():
            do = self.queue.get()[0]["do"]
            if do == "stop" and not deaf:
                for run in runs:
                    self.say(run, "state", state="stopped")
                return False
            if do in ("pause", "resume"):
                self.is_paused = do == "pause"
                for run in runs:
                    self.say(run, "state", state="paused" if self.is_paused else "running")
        return True


class Bench:
    """Answers with what it was asked."""

    def __init__(self, connection, queue):
        self.connection, self.queue = connection, queue

    def work(self):
        while True:
            message, frames = self.queue.get()
            data = message.get("recipe", {}).get("data", {}).get("name")
            if data == "tones":
                os.abort()
            if data == "cards":
                error = {"given": "no cards", "code": "input.test", "exit": 3, "message": "no cards."}
                wire.send(self.connection, {"event": "reply", "call": message["call"], "ok": False, "error": error})
                continue
            result = {"asked": message["do"], **(self.export(message) if message["do"] == "export" else {})}
            answer = {"event": "reply", "call": message["call"], "ok": True, "result": result}
            wire.send(self.connection, answer, *(frames or [points(1), b"12"]))

    def export(self, message):
        """A page that is written unless it is only to be weighed."""
        page = b"<!doctype html>"
        if not message["dry"]:
            Path(message["out"]).write_bytes(page)
        return {"bytes": len(page)}
