"""Files of one's own: honest ones become data, others get a sentence, and the studio goes on."""

import errno
import gzip
import io
import json
import os
import subprocess
import sys
import zipfile

import files
import numpy as np
import pytest
from PIL import Image

from narrows.data import load
from narrows.studio.intake import magic


def give(studio, content, name="a file"):
    return studio.http.post("/api/uploads", params={"name": name}, content=content)


def taken(studio, content, name="a file"):
    answer = give(studio, content, name)
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_a_picture(studio):
    about = taken(studio, files.picture("JPEG", (20, 10)), "../../<b>me</b>\u202e.jpg")
    assert about["kind"] == "image"
    assert about["label"] == "../../<b>me</b>.jpg"
    assert about["facts"] == {"width": 20, "height": 10, "channels": 3, "format": "jpeg"}
    assert about["preview"][0].startswith("data:image/png;base64,")
    assert not about["fit"]["ok"]


def test_an_archive_of_pictures_becomes_data_with_classes(studio):
    about = taken(studio, files.archive({**files.pets(), "__MACOSX/x": b"x", "pets/notes.txt": b"words"}))
    assert about["facts"] == {"files": 24, "classes": {"cat": 12, "dog": 12}, "left_out": 1}
    assert about["fit"]["classes"] == ["cat", "dog"]
    data = load(studio.home.uploads / about["id"] / "data")
    assert data.layout.shape == (1, 8, 8)


def test_a_sound_a_table_and_an_array(studio):
    sound = taken(studio, files.sound(2.0))
    assert (sound["kind"], sound["facts"]["seconds"], sound["fit"]["ok"]) == ("sound", 2.0, True)
    table = taken(studio, files.table())
    assert table["facts"]["rows"] == 40
    assert table["fit"]["classes"] == ["cat", "dog"]
    array = taken(studio, files.array(np.random.default_rng(0).random((30, 6), np.float32)))
    assert array["fit"]["shape"] == [6]


def test_an_upload_can_be_trained_on_listed_and_removed(studio):
    about = taken(studio, files.table(), "mine.csv")
    assert [one["label"] for one in studio.http.get("/api/uploads").json()] == ["mine.csv"]
    (run,) = studio.new({"data": {"name": f"upload:{about['id']}"}, "training": {"epochs": 10_000}})
    studio.wait(run, "running")
    assert studio.http.delete(f"/api/uploads/{about['id']}").status_code == 409
    studio.do(run, "stop")
    studio.wait(run, "stopped")
    assert studio.http.delete(f"/api/uploads/{about['id']}").status_code == 200
    assert studio.http.get(f"/api/uploads/{about['id']}").status_code == 404
    assert list(studio.home.uploads.iterdir()) == []


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../x", "upload:../../x", "upload:", "nonesuch", "runs", "upload:aaaaaaaaaaaa"]
)
def test_data_is_named_by_us_alone(studio, name):
    answer = studio.http.post("/api/runs", json={"recipes": [{"data": {"name": name}}]})
    assert answer.status_code in (404, 422)
    assert "no upload" in answer.text or "unknown data set" in answer.text


BAD_AT_ONCE = {
    "empty": (b"", 422, "empty"),
    "text in letters alone": (b"\x01\x02binary", 415, "none of the kinds"),
    "a gzip": (gzip.compress(b"x"), 415, "gzip"),
    "a gif": (b"GIF89a", 415, "GIF"),
    "a pickle": (b"\x80\x04\x95", 415, "pickle"),
    "a page": (b"<html><script>alert(1)</script>", 415, "page"),
}
"""Files that are refused by their first bytes."""

BAD_INSIDE = {
    "half a picture": (files.picture(size=(64, 64))[:200], 422, "not a readable picture"),
    "a picture of 10 gigapixels": (files.png_that_claims(100_000, 100_000), 413, "pixels"),
    "a picture that claims 30 megapixels": (files.png_that_claims(6000, 5000), 422, "not a readable picture"),
    "a JPEG of many passes": (b"\xff\xd8\xff" + b"\xff\xda" * 200, 413, "passes"),
    "half a sound": (files.sound()[:30], 422, "cannot be read"),
    "a sound of no samples": (files.sound(0.0), 422, "no samples"),
    "a FLAC that is none": (b"fLaC" + b"\xff" * 100, 422, "cannot be read"),
    "a ragged table": (b"a,b\n1,2\n3\n" * 20, 422, "fields"),
    "a table of one endless line": (b"1," * 600_000, 413, "bytes"),
    "a table of 5,000 columns": (b",".join(b"c%d" % n for n in range(5000)) + b"\n", 413, "columns"),
    "an array that claims petabytes": (files.array_that_claims((10**9, 10**6)), 422, "says it holds"),
    "an array of objects": (files.array(np.array(["a"])), 422, "array"),
    "an archive of nothing": (files.archive({"a.txt": b"words"}), 422, "no pictures"),
    "a broken archive": (files.archive(files.pets(2))[:-40], 422, "cannot be unpacked"),
    "a bomb": (files.archive({"a.png": b"\0" * (80 << 20)}), 413, "unpack"),
    "pictures and sounds": (files.archive({"a.png": files.picture(), "b.wav": files.sound()}), 422, "one kind"),
}
"""Files that only a reader knows to be bad."""


def check_refused(studio, content, status, words):
    answer = give(studio, content)
    body = answer.json()
    assert answer.status_code == status, body
    assert words in body["detail"]
    assert str(studio.home.runs) not in answer.text
    assert list(studio.home.uploads.iterdir()) == []


@pytest.mark.parametrize("case", BAD_AT_ONCE)
def test_a_file_of_another_kind_gets_a_sentence(studio_for_bad_files, case):
    check_refused(studio_for_bad_files, *BAD_AT_ONCE[case])


@pytest.mark.slow
@pytest.mark.parametrize("case", BAD_INSIDE)
def test_a_bad_file_gets_a_sentence(studio_for_bad_files, case):
    check_refused(studio_for_bad_files, *BAD_INSIDE[case])


def test_a_program_sees_the_status_and_a_page_that_asks_sees_it_within(studio):
    for preference, status in (({}, 415), ({"Prefer": "wait=1, problems=200"}, 200)):
        answer = studio.http.post("/api/uploads", content=b"GIF89a", headers=preference)
        assert (answer.status_code, answer.json()["status"]) == (status, 415)
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers.get("preference-applied") == ("problems=200" if preference else None)
    assert studio.http.post("/api/uploads", content=files.table(), headers=preference).status_code == 201


def test_what_the_guard_refuses_and_a_bug_keep_their_status(studio, monkeypatch):
    calmly = {"Prefer": "problems=200"}
    assert studio.http.get("/api/runs", headers={**calmly, "Authorization": "Bearer x"}).status_code == 401
    monkeypatch.setattr("narrows.studio.store.Store.runs", lambda store: 1 / 0)
    assert studio.http.get("/api/runs", headers=calmly).status_code == 500


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("cat.png", "cat.png is named as a picture, but holds text"),
        ("CAT.JPG", "named as a picture"),
        ("a.wav", "named as a sound"),
        ("a.npy", "named as an array"),
        ("a.zip", "named as an archive"),
    ],
)
def test_text_that_is_named_as_something_else_is_refused(studio_for_bad_files, name, words):
    answer = give(studio_for_bad_files, files.table(), name)
    assert (answer.status_code, words in answer.json()["detail"]) == (415, True)
    assert list(studio_for_bad_files.home.uploads.iterdir()) == []


@pytest.mark.parametrize("name", ["mine.csv", "mine.txt", "mine.tsv", "mine.data", "mine", "png", "cat.png.csv"])
def test_text_by_any_other_name_is_a_table(name):
    assert magic.check_name(name, magic.format_of(files.table())) is None


def test_an_archive_never_writes_outside(studio):
    evil = {"../../../evil.png": files.picture(), "/abs/evil.png": files.picture(), "a\\..\\evil.png": files.picture()}
    about = taken(studio, files.archive(evil))
    names = list(studio.home.runs.rglob("*evil*"))
    assert about["facts"]["files"] + about["facts"]["left_out"] >= 1
    assert all(path.is_relative_to(studio.home.uploads / about["id"]) for path in names)


def overlapping(inner):
    """An archive whose list names its first file twice; or a second file that lies within the first one."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        content = files.archive({"b.png": files.picture()}) if inner else files.picture()
        archive.writestr("a.png", content)
        # What is no picture makes it large enough for both by the sum of their sizes.
        archive.writestr("notes.txt", b"words" * 1000)
        first = archive.infolist()[0]
        second = zipfile.ZipInfo("b.png")
        second.CRC, second.file_size, second.compress_size = first.CRC, first.file_size, first.compress_size
        second.header_offset = 30 + len("a.png") if inner else 0
        if inner:
            second.file_size = second.compress_size = 10
        archive.filelist.append(second)
        archive.NameToInfo["b.png"] = second
    return made.getvalue()


@pytest.mark.parametrize("inner", [False, True])
def test_files_that_lie_over_each_other_are_refused(tmp_path, inner):
    from narrows.errors import DamagedError
    from narrows.studio.intake import archives

    (tmp_path / "raw.zip").write_bytes(overlapping(inner))
    with pytest.raises(DamagedError, match="lie over each other"):
        archives.read_archive(tmp_path / "raw.zip", tmp_path, "zip")
    assert not (tmp_path / "data").exists()


def test_a_locked_archive_and_a_link(studio):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as file:
        link = zipfile.ZipInfo("link.png")
        link.external_attr = 0o120777 << 16
        file.writestr(link, "/etc/passwd")
    assert give(studio, target.getvalue()).status_code == 422
    locked = bytearray(files.archive(files.pets(1)))
    for sign, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = 0
        while (start := locked.find(sign, start)) >= 0:
            locked[start + at] |= 1
            start += 4
    assert give(studio, bytes(locked)).status_code == 422


def test_what_comes_along_in_a_picture_is_gone(studio):
    target = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "a secret place"
    Image.new("RGB", (4, 4)).save(target, "JPEG", exif=exif)
    about = taken(studio, target.getvalue())
    kept = (studio.home.uploads / about["id"] / "data" / "picture.png").read_bytes()
    assert b"secret" not in kept


def test_a_reader_that_crashes_or_hangs_costs_only_itself(monkeypatch, tmp_path):
    from narrows.errors import DamagedError, LimitError
    from narrows.studio.intake import worker

    raw = tmp_path / "raw.csv"
    raw.write_bytes(b"a\n1\n")
    monkeypatch.setattr(worker, "enter", __import__("bad_reader").crash)
    with pytest.raises(DamagedError, match="crashed"):
        worker.read_file(raw, tmp_path, "csv", 10)
    monkeypatch.setattr(worker, "enter", __import__("bad_reader").hang)
    with pytest.raises(LimitError, match="too long"):
        worker.read_file(raw, tmp_path, "csv", 1.5)
    monkeypatch.setattr(worker, "enter", __import__("bad_reader").babble)
    with pytest.raises(DamagedError):
        worker.read_file(raw, tmp_path, "csv", 10)


def test_a_body_longer_than_it_may_be_is_cut_off(open_studio, monkeypatch):
    from narrows.studio import guard

    studio = open_studio()
    monkeypatch.setitem(guard.NAMED, ("", "api", "uploads"), guard.Decision(("GET", "POST"), body=1000, json=False))
    assert give(studio, b"1,2\n" * 1000).status_code == 413

    def endless():
        for _ in range(100):
            yield b"1,2\n" * 10

    assert give(studio, endless()).status_code == 413
    assert list(studio.home.uploads.iterdir()) == []
    assert json.loads(studio.http.get("/api/uploads").text) == []


def test_a_full_disk_is_told(studio, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("narrows.studio.uploads.read_raw", full)
    answer = give(studio, files.table())
    assert (answer.status_code, "the disk is full" in answer.json()["detail"]) == (507, True)
    assert str(studio.home.runs) not in answer.text
    assert list(studio.home.uploads.iterdir()) == []


def test_an_archive_that_takes_too_much_room_unpacked(tmp_path, monkeypatch):
    from narrows.errors import LimitError
    from narrows.studio.intake import archives

    (tmp_path / "raw.zip").write_bytes(files.archive(files.pets(3)))
    monkeypatch.setattr(archives, "WRITTEN_LIMIT", 300)
    with pytest.raises(LimitError, match="too much room"):
        archives.read_archive(tmp_path / "raw.zip", tmp_path, "zip")


def test_the_limits_of_a_reader_hold_where_some_are_narrower_already():
    words = """if True:
        import resource
        resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))
        from narrows.studio.intake import worker
        resource.setrlimit(resource.RLIMIT_AS, (worker.MEMORY >> 1,) * 2)
        worker.restrict(7)
        kinds = ("AS", "CPU", "FSIZE", "NOFILE", "CORE")
        print([resource.getrlimit(getattr(resource, f"RLIMIT_{kind}"))[1] for kind in kinds])
        print(worker.MEMORY >> 1, 8, worker.FILE_BYTES, 32, 0)"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    said = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True, env=environment)
    first, second = said.stdout.splitlines()
    assert json.loads(first) == [int(word) for word in second.split()]
