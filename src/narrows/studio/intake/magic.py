"""What a file is, by its first bytes; what its name or its sender says of it does not count.

Text alone has no sign: that is a table unless its name says otherwise.
"""

from pathlib import PurePath

from narrows.errors import UsageError

HEAD = 1 << 16
"""Bytes at the begin of a file that are looked at."""

FORMATS = ("png", "jpeg", "webp", "bmp", "wav", "flac", "npy", "zip", "tsv", "csv")
READ_HERE = (
    "a picture (PNG, JPEG, WebP, BMP), a sound (WAV, FLAC), a table (CSV, TSV), an array (.npy), or a zip of them"
)

SIGNS: tuple[tuple[bytes, int, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", 0, "png"),
    (b"\xff\xd8\xff", 0, "jpeg"),
    (b"WEBP", 8, "webp"),
    (b"WAVE", 8, "wav"),
    (b"fLaC", 0, "flac"),
    (b"\x93NUMPY", 0, "npy"),
    (b"PK\x03\x04", 0, "zip"),
    (b"BM", 0, "bmp"),
)
OTHERS: tuple[tuple[bytes, str], ...] = (
    (b"GIF8", "a GIF picture"),
    (b"II*\0", "a TIFF picture"),
    (b"MM\0*", "a TIFF picture"),
    (b"%PDF", "a PDF document"),
    (b"OggS", "an OGG sound"),
    (b"ID3", "an MP3 sound"),
    (b"\xff\xfb", "an MP3 sound"),
    (b"PAR1", "a Parquet table"),
    (b"\x80\x04", "a pickle, which is never opened"),
    (b"\x80\x05", "a pickle, which is never opened"),
    (b"\x1f\x8b", "a gzip file"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"MATLAB", "a MATLAB file"),
    (b"\x89HDF", "an HDF5 file"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
)
"""Signs of files that are often given and not read here."""

NAMED: dict[str, tuple[str, ...]] = {
    "a picture": (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff"),
    "a sound": (".wav", ".flac", ".mp3", ".ogg"),
    "an array": (".npy", ".npz", ".mat"),
    "an archive": (".zip",),
}
"""What a name says that a file is, by its ending; with any other, text is a table."""

MARKS = (b"\xff\xfe", b"\xfe\xff")


def format_of(head: bytes) -> str:
    """The format of a file by its first bytes.

    Args:
        head: The first `HEAD` bytes, or all there are.

    Raises:
        UsageError: None that is read here.

    Example:
        >>> format_of(b"fLaC...."), format_of(b"a,b\\n1,2\\n"), format_of(b"a\\tb\\n1\\t2\\n")
        ('flac', 'csv', 'tsv')
    """
    for sign, at, name in SIGNS:
        if head[at : at + len(sign)] == sign and (at == 0 or head[:4] in (b"RIFF", b"RF64")):
            return name
    other = next((words for sign, words in OTHERS if head.startswith(sign)), None)
    if other or not is_text(head):
        raise refused(other or "none of the kinds of file that are read here")
    if head.lstrip()[:1] in (b"<", b"{"):
        raise refused("a page or a document, not a table")
    first = head.partition(b"\n")[0]
    return "tsv" if first.count(b"\t") > first.count(b",") else "csv"


def check_name(name: str, form: str) -> None:
    """Refuse text whose name says that it is something else: it would be taken for a table.

    Args:
        name: What the file is called.
        form: Its format, as `format_of` found it.

    Raises:
        UsageError: Its name and what it holds do not fit.

    Example:
        >>> check_name("cat.csv", "csv"), check_name("notes", "csv"), check_name("a.b.PNG", "png")
        (None, None, None)
    """
    ending = PurePath(name).suffix.lower()
    said = next((what for what, endings in NAMED.items() if ending in endings), None)
    if said and form in ("csv", "tsv"):
        given = f"{name[:80]} is named as {said}, but holds text"
        step = "Choose the file that was meant, or give a table a name that ends in .csv"
        raise UsageError(given, step=step, code="usage.format")


def is_text(head: bytes) -> bool:
    """Whether bytes may be text: no zeros, but in UTF-16 that says so, and no other control signs."""
    if head[:2] in MARKS:
        return True
    return not any(byte < 32 and byte not in (9, 10, 12, 13) for byte in head)


def refused(what: str) -> UsageError:
    """The error for a file of another kind."""
    return UsageError(f"That file is {what}", expected=READ_HERE, step="Convert it first", code="usage.format")
