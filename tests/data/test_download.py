"""Downloads from a server that cuts, lies and resumes; nothing leaves this machine."""

import gzip
import hashlib
import threading
import urllib.request
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from narrows.data import DATASETS, load, status
from narrows.data.download import fetch
from narrows.errors import DamagedError, EnvironmentProblem, LimitError

CONTENT = bytes(range(256)) * 800
SHA = hashlib.sha256(CONTENT).hexdigest()


class Server(BaseHTTPRequestHandler):
    """Answers by path: whole, cut once, without ranges, lying, wrong, missing, or packed."""

    asked: list = []  # noqa: RUF012

    def do_GET(self):
        kind, begin = self.path.strip("/"), 0
        wanted = self.headers.get("Range")
        type(self).asked.append((kind, wanted))
        content = {"wrong": b"<html>" * 30_000, "packed.gz": gzip.compress(CONTENT)}.get(kind, CONTENT)
        if kind == "missing":
            self.send_error(404)
            return
        if wanted and kind != "ranges-ignored":
            begin = int(wanted.removeprefix("bytes=").rstrip("-"))
            self.send_response(206)
            shown = begin + 7 if kind == "lying-range" else begin
            self.send_header("Content-Range", f"bytes {shown}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(content) - begin))
        self.end_headers()
        first = sum(k == kind for k, _ in type(self).asked) == 1
        cut = kind in {"cut", "ranges-ignored", "lying-range"} and first
        self.wfile.write(content[begin : begin + 70_000] if cut else content[begin:])
        self.close_connection = True

    def log_message(self, *_):
        pass


@pytest.fixture
def home():
    Server.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def get(tmp_path, *urls, name="file", sha=SHA, **options):
    return fetch(urls, tmp_path / name, sha, pause=0, **options)


@pytest.mark.parametrize("kind", ["whole", "cut", "ranges-ignored"])
def test_the_file_arrives_whole(tmp_path, home, kind):
    assert get(tmp_path, f"{home}/{kind}").read_bytes() == CONTENT
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_cut_download_goes_on_where_it_broke_off(tmp_path, home):
    get(tmp_path, f"{home}/cut")
    assert [wanted for _, wanted in Server.asked] == [None, "bytes=70000-"]


def test_what_an_earlier_process_left_is_taken_up(tmp_path, home):
    (tmp_path / "file.999999999.part").write_bytes(CONTENT[:1000])
    get(tmp_path, f"{home}/whole")
    assert Server.asked[0][1] == "bytes=1000-"


def test_a_packed_file_is_checked_by_its_content(tmp_path, home):
    assert gzip.decompress(get(tmp_path, f"{home}/packed.gz", name="file.gz").read_bytes()) == CONTENT


def test_the_next_address_is_tried(tmp_path, home):
    assert get(tmp_path, f"{home}/missing", f"{home}/whole").read_bytes() == CONTENT


def test_wrong_content_is_never_kept(tmp_path, home):
    with pytest.raises(DamagedError, match="not the one expected"):
        get(tmp_path, f"{home}/wrong")
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_sends_another_part_is_not_believed(tmp_path, home):
    with pytest.raises(EnvironmentProblem, match="another part"):
        get(tmp_path, f"{home}/lying-range")


def test_no_server_is_one_sentence(tmp_path):
    with pytest.raises(EnvironmentProblem, match="could not be downloaded"):
        get(tmp_path, "http://127.0.0.1:9/x")


def test_only_web_addresses_are_followed(tmp_path):
    with pytest.raises(EnvironmentProblem, match="not an http or https"):
        get(tmp_path, "file:///etc/hostname")


def test_more_than_the_limit_is_refused(tmp_path, home):
    with pytest.raises(LimitError, match="sends more than"):
        get(tmp_path, f"{home}/whole", size_limit=1000)


def test_progress_reaches_the_whole(tmp_path, home):
    seen = []
    get(tmp_path, f"{home}/whole", progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (len(CONTENT), len(CONTENT))


class Homes(BaseHTTPRequestHandler):
    """The public homes of the sets, by host and path; the first one of every set does not answer usefully."""

    files: dict = {}  # noqa: RUF012
    asked: list = []  # noqa: RUF012

    def do_GET(self):
        type(self).asked.append(self.path.removeprefix("/"))
        content = type(self).files.get(self.path.removeprefix("/"))
        if content is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


def host_and_path(url):
    return url.split("://", 1)[1]


@pytest.fixture
def world(monkeypatch, tmp_path):
    """Every address outside leads to a local server, and nothing is here yet."""
    Homes.files, Homes.asked = {}, []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Homes)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    real_open = urllib.request.urlopen

    def led_astray(request, **options):
        request.full_url = f"http://127.0.0.1:{server.server_port}/{host_and_path(request.full_url)}"
        return real_open(request, **options)

    monkeypatch.setattr(urllib.request, "urlopen", led_astray)
    monkeypatch.setattr("time.sleep", lambda _: None)
    monkeypatch.setenv("NARROWS_DATA", "")
    monkeypatch.setenv("NARROWS_CACHE", str(tmp_path / "cache"))
    yield Homes
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(params=[("mnist", "mnist"), ("fashion-mnist", "fashion_mnist")], ids=lambda pair: pair[0])
def original(request, real):
    """A set's name and the folder its real files lie in, found before `world` hides it."""
    return request.param[0], real(request.param[1])


@pytest.mark.data
def test_a_set_asked_for_by_name_comes_from_its_second_home_when_the_first_fails(original, world):
    name, here = original
    known = DATASETS[name]
    for file in known.downloads:
        world.files[host_and_path(file.urls[1])] = packed(here, Path(file.path).name)
    assert status(name) == "downloaded when asked for"
    data = load(name, limit=100)
    assert (data.layout.shape, len(data.test)) == ((1, 28, 28), 10_000)
    assert world.asked == [host_and_path(url) for file in known.downloads for url in file.urls]
    assert status(name).startswith("here: ")
    load(name, limit=100)
    assert len(world.asked) == 8


def packed(folder, name):
    """A file of a set as its home has it, whichever way it lies here."""
    stems = (name, name.replace("-idx", ".idx"))
    found = next(folder / each for stem in stems for each in (stem, stem[:-3]) if (folder / each).exists())
    return found.read_bytes() if found.suffix == ".gz" else gzip.compress(found.read_bytes(), 1)


def idx(values):
    head = b"\0\0\x08" + bytes([values.ndim]) + b"".join(size.to_bytes(4, "big") for size in values.shape)
    return head + values.tobytes()


def small_mnist(rng):
    """The four files of a set like MNIST, in the order of its downloads: 20 test and 60 training objects."""
    for file in DATASETS["mnist"].downloads:
        count = 20 if "t10k" in file.path else 60
        shape = (count, 28, 28) if "images" in file.path else (count,)
        yield idx(rng.integers(0, 10, shape).astype(np.uint8))


def test_a_small_set_goes_all_the_way_by_its_name(world, rng, monkeypatch):
    known, contents = DATASETS["mnist"], list(small_mnist(rng))
    digests = [hashlib.sha256(content).hexdigest() for content in contents]
    files = [replace(file, sha256=sha) for file, sha in zip(known.downloads, digests, strict=True)]
    monkeypatch.setitem(DATASETS, "mnist", replace(known, downloads=tuple(files)))
    for file, content in zip(files, contents, strict=True):
        world.files[host_and_path(file.urls[0])] = gzip.compress(content)
    seen = []
    data = load("mnist", progress=lambda done, total: seen.append(done == total))
    assert np.array_equal(data.test.x, np.frombuffer(contents[0][16:], np.uint8).reshape(20, 1, 28, 28))
    assert len(data.train) + len(data.valid) == 60
    assert seen.count(True) == 4


def test_a_set_whose_homes_lie_is_refused_and_not_kept(world, rng, tmp_path):
    for file, content in zip(DATASETS["mnist"].downloads, small_mnist(rng), strict=True):
        world.files.update(dict.fromkeys(map(host_and_path, file.urls), gzip.compress(content)))
    with pytest.raises(DamagedError, match="not the one expected"):
        load("mnist")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
