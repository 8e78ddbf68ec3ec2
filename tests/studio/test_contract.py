"""The HTTP API as its own description says it, tried with what a machine thinks up."""

import subprocess
import sys

import pytest

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "ignored_auth",
)


def tried(studio, folder, seconds, *more):
    """What schemathesis finds in so many seconds; nothing is to be found."""
    command = [
        sys.executable, "-W", "ignore", "-m", "schemathesis.cli", "--config-file", str(folder / "try.toml"), "run",
        f"{studio.address}/api/openapi.json", "--header", f"Authorization: Bearer {studio.home.token}",
        "--checks", ",".join(CHECKS), "--seed", "0", "--max-time", str(seconds), "--continue-on-failure", "--no-color",
        "--generation-database", "none", "--request-timeout", "20", "--warnings", "off", *more,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds * 5, cwd=folder)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert studio.http.get("/api/health").json() == {"ok": True}


@pytest.mark.slow
def test_no_request_makes_the_server_fail(studio, tmp_path):
    (tmp_path / "try.toml").write_text("")
    tried(studio, tmp_path, 25, "--phases", "coverage,fuzzing")


@pytest.mark.slow
def test_no_request_about_a_run_makes_the_server_fail(studio, tmp_path):
    (run,) = studio.new({"training": {"epochs": 10_000}})
    studio.wait(run, "running")
    (tmp_path / "try.toml").write_text(f'[parameters]\n"path.run" = "{run}"\n')
    of_runs = ("--include-path-regex", "/api/runs/.run.", "--exclude-method", "DELETE")
    tried(studio, tmp_path, 12, "--phases", "fuzzing", *of_runs)
    # It was this run indeed that was tried: among much else it has got other names.
    assert studio.run(run)["name"] != "digits dense 64"
    assert studio.http.get(f"/api/runs/{run}").status_code == 200


def test_every_route_is_described(studio):
    schema = studio.http.get("/api/openapi.json").json()
    for path, ways in schema["paths"].items():
        for way in ways.values():
            assert way["description"], path
            assert "application/problem+json" in way["responses"]["422"]["content"]
    assert "Recipe" in schema["components"]["schemas"]
