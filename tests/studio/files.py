"""Files for uploads: honest ones, broken ones, and ones that lie."""

import io
import struct
import wave
import zipfile
import zlib

import numpy as np
from PIL import Image


def picture(kind="PNG", size=(12, 8), mode="RGB", seed=0):
    width, height = size
    channels = {"L": (), "RGB": (3,), "RGBA": (4,)}[mode]
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, *channels), np.uint8)
    target = io.BytesIO()
    Image.fromarray(pixels, mode if not channels else None).save(target, kind)
    return target.getvalue()


def png_that_claims(width, height):
    """A PNG whose header promises more pixels than it has."""

    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = zlib.compress(b"\0" * 100)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def sound(seconds=1.0, rate=8000, channels=1):
    t = np.arange(int(seconds * rate)) / rate
    samples = (np.sin(2 * np.pi * 440 * t) * 20_000).astype("<i2")
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.repeat(samples, channels).tobytes())
    return target.getvalue()


def table(rows=40):
    rng = np.random.default_rng(0)
    lines = [f"{a:.4f},{b:.4f},{'cat' if a > 0 else 'dog'}" for a, b in rng.normal(size=(rows, 2))]
    return "\n".join(["weight,height,class", *lines]).encode()


def array(x):
    target = io.BytesIO()
    np.save(target, x)
    return target.getvalue()


def array_that_claims(shape):
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + b"\0" * 16


def archive(members, method=zipfile.ZIP_DEFLATED):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return target.getvalue()


def pets(count=12):
    return {
        f"pets/{kind}/{n}.png": picture(size=(8, 8), mode="L", seed=n + 99 * (kind == "dog"))
        for kind in ("cat", "dog")
        for n in range(count)
    }
