"""Frames: tables larger than memory as streams of batches, and the schema that turns them into features.

file -> open_table -> batches -> (History.over) -> Schema.fit, schema.features -> write_table -> file
"""

from narrows.data.frames.batch import batch_of
from narrows.data.frames.history import History
from narrows.data.frames.schema import Schema
from narrows.data.frames.source import Source, open_table
from narrows.data.frames.write import write_table

__all__ = ["History", "Schema", "Source", "batch_of", "open_table", "write_table"]
