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
SECONDS = 35


@pytest.mark.slow
def test_no_request_makes_the_server_fail(studio, tmp_path):
    command = [
        sys.executable, "-W", "ignore", "-m", "schemathesis.cli", "run", f"{studio.address}/api/openapi.json",
        "--header", f"Authorization: Bearer {studio.home.token}", "--checks", ",".join(CHECKS), "--seed", "0",
        "--max-time", str(SECONDS), "--continue-on-failure", "--no-color", "--generation-database", "none",
        "--phases", "examples,coverage,fuzzing", "--request-timeout", "20", "--warnings", "off",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS * 4, cwd=tmp_path)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert studio.http.get("/api/health").json() == {"ok": True}


def test_every_route_is_described(studio):
    schema = studio.http.get("/api/openapi.json").json()
    for path, ways in schema["paths"].items():
        for way in ways.values():
            assert way["description"], path
            assert "application/problem+json" in way["responses"]["422"]["content"]
    assert "Recipe" in schema["components"]["schemas"]
