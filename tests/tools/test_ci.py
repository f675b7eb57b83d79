"""The files that tell GitHub and pre-commit what to run are valid, and run what is there."""

import os
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
REPORT = GITHUB / "actions" / "report" / "action.yml"


@pytest.mark.parametrize(
    ("schema", "path"),
    [("github-workflows", path) for path in WORKFLOWS]
    + [("dependabot", GITHUB / "dependabot.yml"), ("github-actions", REPORT)],
    ids=lambda value: getattr(value, "name", value),
)
def test_valid(schema: str, path: Path, tmp_path: Path) -> None:
    def valid(file: Path) -> bool:
        options = ["--builtin-schema", f"vendor.{schema}", str(file)]
        return check_jsonschema.main(options, standalone_mode=False) == 0

    assert valid(path)
    broken = tmp_path / path.name
    text = path.read_text(encoding="utf-8")
    words = {"runs-on:": "run-on:", "interval:": "intervall:", "using:": "uses:"}
    for word, wrong in words.items():
        text = text.replace(word, wrong)
    broken.write_text(text, encoding="utf-8")
    assert not valid(broken)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_what_workflows_run_is_there(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"run: make ([a-z]+)\b", text):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)
    for script in re.findall(r"(?:tests/)?(?:\.ci|tools)/[\w.]+", text):
        assert (ROOT / script).exists()


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_what_runs_out_of_time_has_failed(path: Path) -> None:
    """Of a job that does, which is cancelled, GitHub leaves out the steps that follow a failure."""
    for job in yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values():
        steps = job["steps"]
        if any(step.get("if") == "failure()" for step in steps):
            (limit,) = (step["timeout-minutes"] for step in steps if "timeout-minutes" in step)
            assert limit <= job["timeout-minutes"] - 10


def test_all_but_style_is_tested_with_other_versions() -> None:
    """So ``rfm.sweep`` is, too, which no chapter calls."""
    text = (GITHUB / "workflows" / "weekly.yml").read_text(encoding="utf-8")
    steps = yaml.safe_load(text)["jobs"]["versions"]["steps"]
    (tests,) = (step["run"] for step in steps if "pytest" in step.get("run", ""))
    assert re.findall(r" --(?:ignore|deselect)[= ](\S+)", tests) == ["tests/tools/test_style.py"]
    assert " tests " in tests


def test_every_test_is_run_by_one_of_two_commands() -> None:
    """CI calls both, the second also if the first fails."""

    def words(target: str) -> list[str]:
        order = ["make", "--dry-run", "--assume-old=.venv/.ready", target]
        run = subprocess.run(
            order,
            cwd=ROOT,
            env={k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))},
            capture_output=True,
            encoding="utf-8",
            check=True,
        )
        return run.stdout.split()

    left_out = {word.split("=")[1] for word in words("test") if word.startswith("--ignore=")}
    assert words("test")[-2:] == ["book", "tests"]
    assert {word for word in words("pages") if word.startswith("tests/")} == left_out
    assert all((ROOT / folder).is_dir() for folder in left_out)
    (last,) = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()[-1:]
    assert last == "exec make --keep-going test pages"


GH = """\
#!/bin/sh
echo "$@" >> "$RUNNER_TEMP/gh"
if [ "$2" = list ]; then echo "$OPEN"; fi
"""


@pytest.mark.parametrize("said", [True, False])
@pytest.mark.parametrize(
    ("issue", "does"), [("", "issue create --title"), ("7", "issue comment 7")]
)
def test_what_fails_again_is_told_again(issue: str, does: str, said: bool, tmp_path: Path) -> None:
    """An open issue gets a comment with the last lines, if it came to any."""
    (step,) = yaml.safe_load(REPORT.read_text(encoding="utf-8"))["runs"]["steps"]
    if said:
        (tmp_path / "said").write_text("before\nFAILED tests/test_x.py\n", encoding="utf-8")
    program = tmp_path / "bin" / "gh"
    program.parent.mkdir()
    program.write_text(GH, encoding="utf-8")
    program.chmod(0o755)
    own = {"RUNNER_TEMP": str(tmp_path), "OPEN": issue, "RUN": "https://run", "TITLE": "It fails"}
    own["PATH"] = f"{program.parent}:{os.environ['PATH']}"
    subprocess.run(["bash", "-e", "-o", "pipefail", "-c", step["run"]], env=own, check=True)
    orders = (tmp_path / "gh").read_text(encoding="utf-8").split("issue list", 1)[1]
    assert 'in:title "It fails"' in orders
    assert does in orders
    assert "https://run" in orders
    assert ("FAILED tests/test_x.py" in orders) is said
    assert orders.count("--body") == 1


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_what_a_job_uses_of_ours_is_there(path: Path) -> None:
    """It gets what it asks for, and a job that fails is told once, by a title that names it."""
    inputs = yaml.safe_load(REPORT.read_text(encoding="utf-8"))["inputs"]
    text = yaml.safe_load(path.read_text(encoding="utf-8"))
    for job in text["jobs"].values():
        used = [step for step in job["steps"] if step.get("uses", "").startswith("./")]
        for step in used:
            assert ROOT / step["uses"] == REPORT.parent
            assert step["if"] == "failure()"
            assert [*step["with"]] == [*inputs]
            (varied,) = job["strategy"]["matrix"]
            assert f"${{{{ matrix.{varied} }}}}" in step["with"]["title"]
            assert text["permissions"]["issues"] == "write"
        assert len(used) == (1 if path.stem == "weekly" else 0)


def test_links_that_refuse_robots_are_left_out() -> None:
    """They are links of the book, and no other of its links is left out."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    (ignored,) = config["sphinx"]["config"]["linkcheck_ignore"]
    text = (ROOT / "book" / "references.bib").read_text(encoding="utf-8")
    links = {f"https://doi.org/{doi}" for doi in re.findall(r"^ *doi *= \{(.*)\}", text, re.M)}
    links |= {*re.findall(r"^ *url *= \{(.*)\}", text, re.M)}
    left_out = {match[1] for link in links if (match := re.match(ignored, link))}
    assert sorted(left_out) == re.search(r"\((.*)\)", ignored)[1].split("|")
    assert not re.match(ignored, "https://doi.org/10.48550/arXiv.2407.20199")


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
