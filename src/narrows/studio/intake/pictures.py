"""Pictures: checked by their header, decoded, and written anew as PNG of 8 bits, grey or RGB, and nothing else."""

import base64
import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from narrows.data.images import as_array, is_colour
from narrows.errors import DamagedError, LimitError
from narrows.studio.intake.fitting import fitting

KINDS = {"png": "PNG", "jpeg": "JPEG", "webp": "WEBP", "bmp": "BMP"}
BYTES_LIMIT, SIDE_LIMIT, PIXEL_LIMIT, SCAN_LIMIT = 64 << 20, 16_384, 40_000_000, 100
THUMB = 96


def read_picture(raw: Path, out: Path, form: str) -> dict[str, Any]:
    """One picture."""
    picture, notes = opened(raw.read_bytes(), form, raw.name)
    folder = out / "data"
    folder.mkdir()
    pixels = written(picture, folder / "picture.png")
    facts = {"width": pixels.shape[2], "height": pixels.shape[1], "channels": pixels.shape[0], "format": form}
    return {
        "kind": "image",
        "facts": facts,
        "notes": notes,
        "preview": [thumb(pixels)],
        **fitting("data/picture.png", out),
    }


def opened(content: bytes, form: str, name: str) -> tuple[Any, list[str]]:
    """A picture, decoded and turned as its camera held it, and what has to be said of it.

    Raises:
        LimitError: It is larger than is read here, in bytes, pixels or passes.
        DamagedError: It cannot be decoded.
    """
    from PIL import Image, ImageOps

    check_bytes(content, form, name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            picture = Image.open(io.BytesIO(content), formats=[KINDS[form]])
            check_size(name, *picture.size)
            frames = getattr(picture, "n_frames", 1)
            picture.load()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            turned = ImageOps.exif_transpose(picture)
    except (LimitError, MemoryError):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise LimitError(
            f"{name} has too many pixels", expected=f"at most {PIXEL_LIMIT:,}", code="limit.pixels"
        ) from None
    except Exception as error:  # Pillow raises many kinds for a damaged file
        raise DamagedError(
            f"{name} is not a readable picture ({str(error)[:120] or type(error).__name__})",
            step="Save it again with another program",
            code="damaged.picture",
        ) from None
    return turned, [f"{name} moves; its first picture is taken."] if frames > 1 else []


def check_bytes(content: bytes, form: str, name: str) -> None:
    """Refuse a file that is too long, or a JPEG of so many passes that decoding takes for ever."""
    if len(content) > BYTES_LIMIT:
        raise LimitError(f"{name} has {len(content):,} bytes", expected=f"at most {BYTES_LIMIT:,}", code="limit.bytes")
    scans = content.count(b"\xff\xda") if form == "jpeg" else 0
    if scans > SCAN_LIMIT:
        raise LimitError(f"{name} has {scans:,} passes", expected=f"at most {SCAN_LIMIT}", code="limit.scans")


def check_size(name: str, width: int, height: int) -> None:
    """Refuse more pixels than are read here."""
    if not (min(width, height) >= 1 and max(width, height) <= SIDE_LIMIT and width * height <= PIXEL_LIMIT):
        raise LimitError(
            f"{name} has {width:,} x {height:,} pixels",
            expected=f"at most {PIXEL_LIMIT:,} in all and {SIDE_LIMIT:,} a side",
            step="Scale it down",
            code="limit.pixels",
        )


def written(picture: Any, path: Path) -> np.ndarray:
    """Write a picture as PNG; returns its pixels (C, H, W)."""
    from PIL import Image

    pixels = as_array(picture, 3 if is_colour(picture) else 1)
    plane = pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0)
    Image.fromarray(np.ascontiguousarray(plane)).save(path, "PNG", compress_level=1)
    return pixels


def thumb(pixels: np.ndarray) -> str:
    """A small picture of pixels (C, H, W), as the address of an image."""
    from PIL import Image

    plane = pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0)
    picture, target = Image.fromarray(np.ascontiguousarray(plane)), io.BytesIO()
    picture.thumbnail((THUMB, THUMB))
    picture.save(target, "PNG")
    return "data:image/png;base64," + base64.b64encode(target.getvalue()).decode()
