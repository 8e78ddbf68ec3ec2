"""Zip archives of pictures or sounds: counted and weighed before anything is unpacked; folders name the classes."""

import stat
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import Any

from narrows.errors import DamagedError, InputError, LimitError, NarrowsError, UsageError, counted
from narrows.studio.intake import pictures, sounds
from narrows.studio.intake.fitting import fitting
from narrows.studio.intake.labels import file_name, label
from narrows.studio.intake.magic import format_of

MEMBERS_LIMIT, TOTAL_LIMIT, RATIO_LIMIT = 20_000, 2 << 30, 200
WRITTEN_LIMIT = 2 << 30
"""Bytes of all that is written anew: a lossy file is far larger then."""
MEMBER_LIMIT = sounds.BYTES_LIMIT
SHOWN = 12
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
PICTURES, SOUNDS = tuple(pictures.KINDS), ("wav", "flac")


def read_archive(raw: Path, out: Path, form: str) -> dict[str, Any]:
    """All pictures, or all sounds, of an archive; what is neither, or damaged, is left out and counted.

    Raises:
        LimitError: It holds, or would unpack to, more than is read here.
        DamagedError: It cannot be unpacked, or its files lie over each other.
        InputError: Neither pictures nor sounds, or both.
    """
    try:
        with zipfile.ZipFile(raw) as archive:
            members = wanted(archive, raw.stat().st_size)
            return unpacked(archive, members, out)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
        raise DamagedError(f"That archive cannot be unpacked ({str(error)[:120]})", step="Make it again") from None


def wanted(archive: zipfile.ZipFile, size: int) -> list[zipfile.ZipInfo]:
    """The files of an archive that may be looked at, all within the limits.

    Raises:
        DamagedError: Some lie over each other.
        LimitError: Too many, too large, or packed too tightly.
        UsageError: Locked with a password, or packed in a way that is not read here.
    """
    every = archive.infolist()
    if len(every) > MEMBERS_LIMIT:
        raise LimitError(f"{len(every):,} files", expected=f"at most {MEMBERS_LIMIT:,}", code="limit.members")
    check_apart(every)
    files = [member for member in every if is_plain(member)]
    for member in files:
        check_member(member)
    packed, whole = sum(member.compress_size for member in files), sum(member.file_size for member in files)
    if whole > TOTAL_LIMIT or packed > size:
        raise LimitError(
            f"It would unpack to {whole:,} bytes", expected=f"at most {TOTAL_LIMIT:,}, each file once", code="limit.zip"
        )
    return files


def check_apart(members: list[zipfile.ZipInfo]) -> None:
    """Refuse files that share bytes of the archive: that is how a small one unpacks to a huge one."""
    places = sorted((member.header_offset, member.header_offset + 30 + member.compress_size) for member in members)
    if any(end > begin for (_, end), (begin, _) in pairwise(places)):
        raise DamagedError("The files in that archive lie over each other", step="Make it again", code="damaged.zip")


def is_plain(member: zipfile.ZipInfo) -> bool:
    """Whether a member is a file, and not what some systems add."""
    parts = PurePosixPath(member.filename).parts
    mode = member.external_attr >> 16
    return not (member.is_dir() or stat.S_ISLNK(mode) or any(part[0] in "._" for part in parts if part))


def check_member(member: zipfile.ZipInfo) -> None:
    """Refuse a member beyond the limits."""
    if member.flag_bits & 1 or member.compress_type not in METHODS:
        raise UsageError(
            "That archive is locked or packed in an uncommon way", step="Make a plain zip without password"
        )
    if member.file_size > MEMBER_LIMIT or member.file_size > RATIO_LIMIT * max(member.compress_size, 1024):
        raise LimitError(
            f"A file in it would unpack from {member.compress_size:,} to {member.file_size:,} bytes",
            expected=f"at most {RATIO_LIMIT} times as many",
            code="limit.ratio",
        )


def unpacked(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], out: Path) -> dict[str, Any]:
    """What an archive holds, written anew, and the facts of it."""
    folder, left, previews = out / "data", Counter[str](), list[Any]()
    classes, forms = Counter[str](), Counter[str]()
    folder.mkdir()
    written = 0
    skip = common_depth(members)
    for number, (name, content, form) in enumerate(contents(archive, members, left)):
        parts = PurePosixPath(name).parts[skip:]
        group = label(parts[0], 60) if len(parts) > 1 else ""
        place = folder / file_name(group) if group else folder
        named = f"{number:05d} {file_name(PurePosixPath(name).stem)}"
        try:
            shown = keep(content, form, place, named)
        except (DamagedError, InputError, LimitError) as error:
            left[str(error)] += 1
            continue
        kept = place / f"{named}.{'png' if form in PICTURES else 'wav'}"
        written += kept.stat().st_size
        if written > WRITTEN_LIMIT:
            raise LimitError(
                "It would take too much room unpacked", expected=f"at most {WRITTEN_LIMIT:,} bytes", code="limit.zip"
            )
        classes[group] += 1
        forms["image" if form in PICTURES else "sound"] += 1
        previews += [shown()] if len(previews) < SHOWN else []
    check_kinds(forms, left)
    kind = next(iter(forms))
    facts = {
        "files": sum(forms.values()),
        "classes": {name: n for name, n in classes.items() if name},
        "left_out": left.total(),
    }
    return {"kind": f"{kind}s", "facts": facts, "notes": reasons(left), "preview": previews, **fitting("data", out)}


def contents(
    archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], left: Counter[str]
) -> Iterator[tuple[str, bytes, str]]:
    """Name, bytes and format of each picture and sound; what is neither is counted in `left`."""
    total = 0
    for member in members:
        with archive.open(member) as file:
            content = file.read(member.file_size + 1)
        total += len(content)
        if len(content) > member.file_size or total > TOTAL_LIMIT:
            raise LimitError("A file in it is longer than it says", step="Make the archive again", code="limit.zip")
        try:
            form = format_of(content[:65_536])
        except NarrowsError:
            form = ""
        if form in (*PICTURES, *SOUNDS):
            yield member.filename, content, form
        else:
            left["neither a picture nor a sound that is read here"] += 1


def keep(content: bytes, form: str, folder: Path, name: str) -> Callable[[], Any]:
    """Write a picture or a sound anew; returns what makes its preview."""
    folder.mkdir(exist_ok=True)
    if form in PICTURES:
        picture, _ = pictures.opened(content, form, name)
        pixels = pictures.written(picture, folder / f"{name}.png")
        return lambda: pictures.thumb(pixels)
    path = folder / f"{name}.{form}"
    path.write_bytes(content)
    samples, rate = sounds.opened(path, form)
    path.unlink()
    sounds.written(samples, rate, folder / f"{name}.wav")
    return lambda: sounds.envelope(samples.mean(1))


def common_depth(members: list[zipfile.ZipInfo]) -> int:
    """How many folders all files share at the begin of their names.

    Example:
        >>> common_depth([zipfile.ZipInfo("pets/cat/1.png"), zipfile.ZipInfo("pets/dog/1.png")])
        1
    """
    folders = [PurePosixPath(member.filename).parts[:-1] for member in members]
    depth = 0
    while folders and all(len(parts) > depth and parts[depth] == folders[0][depth] for parts in folders):
        depth += 1
    return depth


def check_kinds(forms: Counter[str], left: Counter[str]) -> None:
    """Refuse an archive of nothing that can be used, or of two kinds of things."""
    if not forms:
        raise InputError(
            f"That archive holds no pictures and no sounds. {' '.join(reasons(left))}".strip(),
            expected="PNG, JPEG, WebP or BMP pictures, or WAV or FLAC sounds",
            code="input.empty",
        )
    if len(forms) > 1:
        raise InputError("That archive holds pictures and sounds", expected="one kind", step="Make two archives of it")


def reasons(left: Counter[str]) -> list[str]:
    """What was left out, and why."""
    return [f"{counted(count, 'file')} left out: {why.rstrip('.')}." for why, count in left.most_common(5)]
