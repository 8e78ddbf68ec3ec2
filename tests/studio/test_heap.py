"""The threads of a child take memory from one heap, or what training asks of the allocator does not help them."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

CHILD = """
import ctypes, threading

def main(connection, role):
    libc = ctypes.CDLL("libc.so.6")
    libc.fopen.restype, libc.malloc.restype = ctypes.c_void_p, ctypes.c_void_p
    thread = threading.Thread(target=libc.malloc, args=(5000,))
    thread.start(), thread.join()
    file = ctypes.c_void_p(libc.fopen(b"heaps.xml", b"w"))
    libc.malloc_info(0, file), libc.fclose(file)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc gives each thread a heap")
@pytest.mark.parametrize(("begin", "heaps"), [("enter(None, 'trainer', 'child')", 1), ("child.main(None, '')", 2)])
def test_a_child_has_one_heap_where_other_processes_have_one_for_each_thread(tmp_path, begin, heaps):
    (tmp_path / "child.py").write_text(CHILD)
    script = f"import child; from narrows.studio.wire import enter; {begin}"
    path = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    subprocess.run([sys.executable, "-c", script], check=True, cwd=tmp_path, env={**os.environ, "PYTHONPATH": path})
    assert Path(tmp_path / "heaps.xml").read_text().count("<heap nr=") == heaps
