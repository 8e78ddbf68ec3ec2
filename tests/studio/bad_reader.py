"""Readers that a hostile file might turn ours into."""

import os
import time


def crash(connection, *rest):
    os.abort()


def hang(connection, *rest):
    time.sleep(60)


def babble(connection, *rest):
    connection.send({"ok": True})
