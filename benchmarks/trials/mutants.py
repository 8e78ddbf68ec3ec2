"""Mutants: model folders altered at random or with intent; each is refused in words, or loads to the same bits.

While a folder is opened an audit hook watches: nothing may be executed or imported, and no file outside the folder
opened. The memory a refusal takes is the highest resident size of the process (Linux resets it on request) beyond
that before. Structural mutants come with a manifest made anew, so that they get past the SHA-256.
"""

import json
import os
import random
import struct
import sys
import tempfile
from collections.abc import Callable
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch

from narrows.data.scaling import fit_scaling
from narrows.errors import NarrowsError
from narrows.recipe import Recipe, build
from narrows.train import Saved, open_run
from narrows.train.checkpoint import describe, write_run, write_weights
from trials.small import CASES, PLACE, QUICK, Tally, data, recipe, warm

ALLOWANCE = 32 << 20
"""Bytes that a refusal may take beyond the size of the files."""

FORBIDDEN = ("exec", "compile", "import", "subprocess.Popen", "os.system", "os.exec", "os.fork", "os.posix_spawn",
             "socket.connect", "socket.bind", "pickle.find_class", "marshal.loads", "ctypes.dlopen")  # fmt: skip

Files = dict[str, bytes]
JSONS = ("recipe.json", "model.json", "manifest.json")
WEIGHTS = "weights.safetensors"


class Guard:
    """An audit hook that can be switched on: it notes what is done that loading a model must not do."""

    def __init__(self) -> None:
        self.folder: str | None = None
        self.seen: list[str] = []
        sys.addaudithook(self.hear)

    def hear(self, event: str, given: tuple[Any, ...]) -> None:
        if self.folder is None:
            return
        if event in FORBIDDEN:
            self.seen.append(f"{event} {given[:1]}"[:80])
        if event == "open" and not os.path.realpath(str(given[0])).startswith(self.folder):
            self.seen.append(f"open {given[0]}"[:80])

    @contextmanager
    def over(self, folder: Path) -> Any:
        self.folder = os.path.realpath(folder)
        try:
            yield
        finally:
            self.folder = None


def memory(what: str) -> int:
    """Resident bytes of this process: now ("VmRSS") or at most since the last `forget` ("VmHWM")."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith(what))


def forget() -> None:
    """Let the highest resident size begin anew from the present one."""
    Path("/proc/self/clear_refs").write_text("5")


def run(count: int, seed: int) -> Tally:
    """Open `count` mutants in turn, and two of a large model."""
    tally, rng, guard = Tally("mutants"), random.Random(seed), Guard()
    with tempfile.TemporaryDirectory(dir=QUICK) as place:
        good = {case: make(Path(place) / case.replace(" ", "-"), recipe(case, "seed=3")) for case in CASES}
        other = {case: make(Path(place) / "other", recipe(case, "seed=4")) for case in CASES}
        large = make(Path(place) / "large", recipe("dense", "network.widths=4096,1024"))
        for case in CASES:
            warm(case)
        # Twice: the first opening imports what it needs, and settles the memory of the process.
        known = {case: open_run(Path(place) / case.replace(" ", "-")) for case in [*CASES, *CASES]}
        folder = Path(place) / "mutant"
        for n in range(count):
            case, name = rng.choice(list(CASES)), list(MUTATIONS)[n % len(MUTATIONS)]
            mutant = MUTATIONS[name](dict(good[case]), other[case], rng)
            attempt(folder, mutant, known[case], f"{n} {case}: {name}", guard, tally)
        awake(guard, folder, tally)
        whole = open_run(Path(place) / "large")
        for name in ("flip at the end", "not finite", "a lying shape"):
            attempt(folder, MUTATIONS[name](dict(large), large, rng), whole, f"large: {name}", guard, tally)
    return tally


def make(folder: Path, chosen: Recipe) -> Files:
    """The files of a run folder with the first weights of a recipe."""
    layout = data().layout
    scaling = fit_scaling(data().train.x, layout, chosen.data.scaling)
    model = build(chosen, layout, scaling)
    write_run(folder, chosen, describe(layout, scaling, model, PLACE.as_dict()))
    write_weights(folder, model.state_dict())
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def lay(folder: Path, files: Files) -> None:
    """Write files into a folder, which has no others then."""
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        path.rmdir() if path.is_dir() else path.unlink()
    for name, content in files.items():
        if content == FOLDER:
            (folder / name).mkdir()
        else:
            (folder / name).write_bytes(content)


def awake(guard: Guard, folder: Path, tally: Tally) -> None:
    """See that the guard hears what it is there for."""
    guard.seen.clear()
    with guard.over(folder):
        compile("1", "x", "eval")
        Path(os.devnull).read_bytes()
    if len(guard.seen) != 2:
        tally.wrong.append(f"the guard slept: {guard.seen}")


def attempt(folder: Path, files: Files, known: Saved, name: str, guard: Guard, tally: Tally) -> None:
    """Open a mutant; what is not as it should be goes into the tally."""
    lay(folder, files)
    tally.tried += 1
    guard.seen.clear()
    before, peak = settle(), None
    saved = None
    try:
        with guard.over(folder):
            saved = open_run(folder)
    except NarrowsError as error:
        peak = memory("VmHWM") - before
        tally.count("refused")
        if len(str(error)) > 1000 or not error.code:
            tally.wrong.append(f"{name}: refused in {len(str(error))} letters")
    except Exception as error:
        tally.wrong.append(f"{name}: {type(error).__name__}: {error}"[:300])
    size = sum(map(len, files.values()))
    if peak is not None:
        tally.most("MB beyond the files, most", round(max(0, peak - size) / (1 << 20), 1))
    if peak is not None and peak > size + ALLOWANCE:
        tally.wrong.append(f"{name}: {peak >> 20} MB for {size >> 20} MB of files")
    if guard.seen:
        tally.wrong.append(f"{name}: {guard.seen[:3]}")
    if saved is not None:
        tally.count("harmless")
        if not same(saved, known, vouched=files["manifest.json"] != (known.folder / "manifest.json").read_bytes()):
            tally.wrong.append(f"{name}: loaded, and is another model")


def settle() -> int:
    """Begin to watch the memory; resident bytes before."""
    forget()
    return memory("VmRSS")


def same(a: Saved, b: Saved, *, vouched: bool) -> bool:
    """Whether two opened runs hold the same bits, and say the same of them unless a manifest vouches for it."""
    one, two = a.model.state_dict(), b.model.state_dict()
    equal = one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)
    return equal and (vouched or (a.recipe, a.layout) == (b.recipe, b.layout))


FOLDER = b"\0a folder in its place"


def sealed(files: Files) -> Files:
    """The files with a manifest that fits them."""
    sums = {name: sha256(files[name]).hexdigest() for name in ("recipe.json", "model.json", WEIGHTS)}
    return {**files, "manifest.json": json.dumps({"format": 1, "sha256": sums}).encode()}


def flip(files: Files, other: Files, rng: random.Random) -> Files:
    """One bit of one file the other way round."""
    name = rng.choice(list(files))
    content = bytearray(files[name])
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    return {**files, name: bytes(content)}


def flip_at_the_end(files: Files, other: Files, rng: random.Random) -> Files:
    """The lowest bit of the last number of the weights: found only when all has been read."""
    content = bytearray(files[WEIGHTS])
    content[-4] ^= 1
    return {**files, WEIGHTS: bytes(content)}


def cut(files: Files, other: Files, rng: random.Random) -> Files:
    """A file cut short, perhaps to nothing, and perhaps vouched for."""
    name = rng.choice(list(files))
    files[name] = files[name][: rng.choice([0, 1, 7, 8, rng.randrange(len(files[name]))])]
    return sealed(files) if name != "manifest.json" and rng.random() < 0.5 else files


def grow(files: Files, other: Files, rng: random.Random) -> Files:
    """Bytes behind the end of a file."""
    name = rng.choice(list(files))
    files[name] += bytes(rng.randrange(1, 2000))
    return sealed(files) if name != "manifest.json" else files


def swap(files: Files, other: Files, rng: random.Random) -> Files:
    """A file of another run of the same shapes, or two files of one run in each other's place."""
    if rng.random() < 0.7:
        name = rng.choice(["recipe.json", WEIGHTS, "manifest.json"])
        return {**files, name: other[name]}
    a, b = rng.sample(list(files), 2)
    return {**files, a: files[b], b: files[a]}


def lose(files: Files, other: Files, rng: random.Random) -> Files:
    """A file gone, or a folder in its place."""
    name = rng.choice(list(files))
    if rng.random() < 0.5:
        return {**files, name: FOLDER}
    return {key: content for key, content in files.items() if key != name}


def write_twice(files: Files, other: Files, rng: random.Random) -> Files:
    """A name twice in an object of JSON."""
    name = rng.choice(JSONS)
    text = files[name].decode()
    at = rng.choice([i for i, letter in enumerate(text) if letter == "{" and text[i + 1 : i + 2] != "}"])
    key = json.loads("{" + text[at + 1 :].split(":")[0] + ":0}")
    doubled = "".join(f"{json.dumps(word)}: {rng.choice(['0', 'null', '[]'])}," for word in key)
    return seal_json(files, name, text[: at + 1] + doubled + text[at + 1 :])


def seal_json(files: Files, name: str, text: str) -> Files:
    """The files with one JSON file replaced, vouched for unless it is the manifest."""
    files = {**files, name: text.encode()}
    return files if name == "manifest.json" else sealed(files)


def replace_value(files: Files, other: Files, rng: random.Random, values: tuple[str, ...]) -> Files:
    """A value somewhere in a JSON file replaced by text."""
    name = rng.choice(JSONS)
    tree = json.loads(files[name])
    places = list(walk(tree))
    owner, key = rng.choice(places)
    owner[key] = "@here@"
    return seal_json(files, name, json.dumps(tree).replace('"@here@"', rng.choice(values)))


def walk(tree: Any) -> Any:
    """Every place of nested values: (owner, key)."""
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
        yield tree, key
        if isinstance(value, dict | list):
            yield from walk(value)


def deep(files: Files, other: Files, rng: random.Random) -> Files:
    """Lists or objects deep inside each other."""
    n = rng.choice([17, 100, 1000, 100_000])
    return replace_value(files, other, rng, ("[" * n + "]" * n, '{"a":' * n + "1" + "}" * n, "[" * n))


def literals(files: Files, other: Files, rng: random.Random) -> Files:
    """Words and numbers that are not of JSON, or not finite."""
    return replace_value(files, other, rng, ("NaN", "Infinity", "-Infinity", "1e999", "nul", "01", "'a'", "9" * 5000))


def surprises(files: Files, other: Files, rng: random.Random) -> Files:
    """Values of another kind or size: types, sizes, paths, code."""
    values = ("-1", "0", "1e300", "99999999999999999999", "[]", "{}", "true", '"../../etc/passwd"', '"\\u0000"',
              '"\\ud800"', '"__import__(\'os\')"', '["a", 1]', '{"__class__": "os.system"}', f'"{"x" * 100_000}"',
              "65536", "16384", "[16384,16384,16384,16384,16384,16384]")  # fmt: skip
    return replace_value(files, other, rng, values)


def extra(files: Files, other: Files, rng: random.Random) -> Files:
    """A setting that does not exist."""
    name = rng.choice(("recipe.json", "model.json"))
    tree = json.loads(files[name])
    owner = rng.choice([tree, *(value for value in tree.values() if isinstance(value, dict))])
    owner[rng.choice(["__reduce__", "module", "class_name", "../x", "weights_only", ""])] = rng.choice([1, "os.system"])
    return seal_json(files, name, json.dumps(tree))


def big(files: Files, other: Files, rng: random.Random) -> Files:
    """A JSON file with a million lists, objects or letters."""
    filling = rng.choice(["[" + "[]," * 340_000 + "0]", "[" + "{}," * 340_000 + "0]", '"' + "x" * (2 << 20) + '"',
                          "[" + '{"a":0},' * 120_000 + "0]", '"' + "\u2028" * 300_000 + '"'])  # fmt: skip
    return replace_value(files, other, rng, (filling,))


def bomb(files: Files, other: Files, rng: random.Random) -> Files:
    """A recipe or objects that ask for far more than the file holds."""
    name, path, value = rng.choice(BOMBS)
    tree = json.loads(files[name])
    *way, last = path.split(".")
    owner = tree
    for part in way:
        owner = owner[part]
    owner[last] = value
    return seal_json(files, name, json.dumps(tree))


BOMBS = [
    ("recipe.json", "network", {"kind": "dense", "widths": [16384] * 12}),
    ("recipe.json", "network", {"kind": "conv", "channels": [16384] * 3, "kernel": 15}),
    ("recipe.json", "network", {"kind": "lstm", "hidden": 16384, "layers": 4}),
    ("recipe.json", "network", {"kind": "unet", "channels": [16384] * 3}),
    ("recipe.json", "bottleneck", {"kind": "vq", "size": 64, "group": 1, "entries": 65536}),
    ("recipe.json", "bottleneck", {"kind": "sparse-l1", "size": 512}),
    ("recipe.json", "bottleneck.size", 65536),
    ("model.json", "layout.shape", [1, 60_000, 60_000]),
    ("model.json", "layout.shape", [1 << 31]),
    ("model.json", "layout.shape", [1 << 62, 4]),
    ("model.json", "layout.shape", [1, 46_000, 46_000]),
    ("model.json", "layout.shape", [2_000_000_000]),
    ("model.json", "scaling.kind", "standard"),
]


def header_of(files: Files) -> tuple[dict[str, Any], bytes]:
    """The header of the weights, and what is behind it."""
    (length,) = struct.unpack("<Q", files[WEIGHTS][:8])
    return json.loads(files[WEIGHTS][8 : 8 + length]), files[WEIGHTS][8 + length :]


def with_header(files: Files, header: Any, body: bytes) -> Files:
    """The files with another header of the weights, vouched for."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return sealed({**files, WEIGHTS: struct.pack("<Q", len(text)) + text + body})


def lying_length(files: Files, other: Files, rng: random.Random) -> Files:
    """A header of another length than the file says."""
    length = rng.choice([0, 1, 7, 1 << 20, 1 << 32, 1 << 63, (1 << 64) - 1, rng.getrandbits(64), rng.getrandbits(12)])
    return sealed({**files, WEIGHTS: struct.pack("<Q", length) + files[WEIGHTS][8:]})


def lying_shape(files: Files, other: Files, rng: random.Random) -> Files:
    """A tensor of another shape, type or place than it has."""
    header, body = header_of(files)
    entry = header[rng.choice(sorted(header))]
    key = rng.choice(("dtype", "shape", "data_offsets"))
    begin, end = entry["data_offsets"]
    lies: dict[str, list[Any]] = {
        "dtype": ["F64", "F16", "BF16", "I64", "BOOL", "U8", "", "pickle", None, 3, ["F32"]],
        "shape": [[1 << 40], [1 << 62, 4], [-1], [0], [1.0], [True], [[4]], "4", None, [*entry["shape"], 1], [1] * 70,
                  [n + 1 for n in entry["shape"]] or [2], entry["shape"][::-1] * 2],
        "data_offsets": [[begin, 1 << 40], [end, begin], [begin + 4, end + 4], [begin, end - 4], [-4, end - begin - 4],
                         [begin], [begin, end, end], [0, 0], None, "ab", [float(begin), float(end)]],
    }  # fmt: skip
    entry[key] = rng.choice(lies[key])
    return with_header(files, header, body)


def strange_names(files: Files, other: Files, rng: random.Random) -> Files:
    """Tensors under other names, names that are paths, tensors that are gone, come twice or are too many."""
    header, body = header_of(files)
    name = rng.choice(sorted(header))
    how = rng.randrange(5)
    if how == 0:
        strange = ["../../x", "/etc/passwd", "__class__", "", "a" * 9000, "__metadata__", "encoder.\u202e"]
        header[rng.choice(strange)] = header.pop(name)
    elif how == 1:
        del header[name]
    elif how == 2:
        text = json.dumps(header)
        return with_header(files, f"{{{json.dumps(name)}: {json.dumps(header[name])}, {text[1:]}".encode(), body)
    elif how == 3:
        header["more"] = {"dtype": "F32", "shape": [5], "data_offsets": [len(body), len(body) + 20]}
        body += bytes(20)
    else:
        header |= {
            f"t{i}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for i in range(rng.choice([9, 9000]))
        }
    return with_header(files, header, body)


def strange_note(files: Files, other: Files, rng: random.Random) -> Files:
    """Something odd beside the tensors: no model has any use for it."""
    header, body = header_of(files)
    notes = [{"note": "[" * 9000}, {"note": 3}, [], None, "x", {"note": "NaN"}, {"note": "[]"}, {"note": "{'a': 1}"}]
    header["__metadata__"] = rng.choice(notes)
    return with_header(files, header, body)


def not_a_header(files: Files, other: Files, rng: random.Random) -> Files:
    """Something else where the header should be: another format, noise, values that are no object."""
    _, body = header_of(files)
    pickled, zipped, utf16 = b"\x80\x04cposix\nsystem\n", b"PK\x03\x04", b"\xff\xfe{\x00}\x00"
    values = [b"[]", b"null", b"3", b'"x"', b'{"a": []}', b'{"a": {}}', b"{" * 9000, b"[" + b"[]," * 300_000 + b"0]"]
    texts = [*values, pickled, zipped, utf16, rng.randbytes(300), b"{}" + b" " * 50]
    return with_header(files, rng.choice(texts), body)


def not_finite(files: Files, other: Files, rng: random.Random) -> Files:
    """A number of the weights that is not finite, vouched for."""
    header, body = header_of(files)
    content, value = bytearray(body), rng.choice([float("nan"), float("inf"), -float("inf")])
    begin, end = header["offset"]["data_offsets"] if rng.random() < 0.3 else header["spread"]["data_offsets"]
    struct.pack_into("<f", content, rng.randrange(begin, end, 4), value)
    return with_header(files, header, bytes(content))


def harmless(files: Files, other: Files, rng: random.Random) -> Files:
    """Another way of writing the same, vouched for: it has to load to the same bits."""
    files["recipe.json"] = json.dumps(json.loads(files["recipe.json"])).encode()
    files["model.json"] += b"\n \n"
    header, body = header_of(files)
    return with_header(files, dict(reversed(header.items())), body)


MUTATIONS: dict[str, Callable[[Files, Files, random.Random], Files]] = {
    "flip": flip, "flip at the end": flip_at_the_end, "cut": cut, "grow": grow, "swap": swap, "lose": lose,
    "a name twice": write_twice, "deep": deep, "literals": literals, "surprises": surprises, "extra": extra,
    "big": big, "bomb": bomb, "a lying length": lying_length, "a lying shape": lying_shape,
    "strange names": strange_names, "a strange note": strange_note, "not a header": not_a_header,
    "not finite": not_finite, "harmless": harmless,
}  # fmt: skip
