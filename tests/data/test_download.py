"""Downloads from a server that cuts, lies and resumes; nothing leaves this machine."""

import gzip
import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

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
