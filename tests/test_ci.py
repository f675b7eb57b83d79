"""The files that tell GitHub and pre-commit what to run are valid, and run what is there."""

import re
import subprocess
import sys
from pathlib import Path

import check_jsonschema
import pytest
import yaml
from repository import ROOT

GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))


@pytest.mark.parametrize(
    ("schema", "path"),
    [("github-workflows", path) for path in WORKFLOWS]
    + [("dependabot", GITHUB / "dependabot.yml")],
    ids=lambda value: getattr(value, "name", value),
)
def test_valid(schema: str, path: Path, tmp_path: Path) -> None:
    def valid(file: Path) -> bool:
        options = ["--builtin-schema", f"vendor.{schema}", str(file)]
        return check_jsonschema.main(options, standalone_mode=False) == 0

    assert valid(path)
    broken = tmp_path / path.name
    text = path.read_text(encoding="utf-8")
    broken.write_text(
        text.replace("runs-on:", "run-on:").replace("interval:", "intervall:"), encoding="utf-8"
    )
    assert not valid(broken)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_what_workflows_run_is_there(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"run: make ([a-z]+)\b", text):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)
    for script in re.findall(r"(?:\.ci|tools)/[\w.]+", text):
        assert (ROOT / script).exists()


def test_pre_commit_runs_what_make_lint_runs() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    entries = [hook["entry"] for repo in config["repos"] for hook in repo["hooks"]]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    lint = re.search(r"^lint:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    wanted = [line.strip().replace("$(BIN)", ".venv/bin") for line in lint[1].splitlines()]
    assert entries == wanted


@pytest.mark.parametrize(("which", "sign"), [("oldest", "=="), ("newest", ">=")])
def test_bounds(which: str, sign: str) -> None:
    run = subprocess.run(
        [sys.executable, ROOT / "tools" / "bounds.py", which],
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    lines = run.stdout.splitlines()
    assert any(line.startswith(f"torch{sign}") for line in lines)
    assert all(sign in line for line in lines)
