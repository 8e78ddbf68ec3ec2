"""Data: `load` a set by name or a file of one's own, `read` objects for a trained model.

`DATASETS` lists what has a name, `FORMATS` what a file may be. Loaders are named as "module:function" and imported
when they are used.
"""

from narrows.data.sets import DATASETS, FORMATS, Dataset, load, part_of, read, status

__all__ = ["DATASETS", "FORMATS", "Dataset", "load", "part_of", "read", "status"]
