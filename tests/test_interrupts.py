"""Commands that run for long end with a line when they are interrupted."""

from __future__ import annotations

import argparse
import runpy
import sys

import interrupts
import pytest
from repository import ROOT

GOES_ON = "goes on where it stopped"
SAID = {
    "matrix": f"the same command {GOES_ON}",
    "tables": f"the same command {GOES_ON}",
    "mutants": f"the same command {GOES_ON}",
    "variants": "what ran is told above",
}


@pytest.mark.parametrize("name", SAID)
def test_an_interrupted_command_ends_with_a_line(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    def interrupted(*_: object) -> argparse.Namespace:
        raise KeyboardInterrupt

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", interrupted)
    monkeypatch.setattr(sys, "argv", [f"{name}.py"])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(ROOT / "tools" / f"{name}.py"), run_name="__main__")
    assert end.value.code == interrupts.STATUS
    said = capsys.readouterr().err
    assert said.startswith("interrupted; ")
    assert said.endswith(f"{SAID[name]}\n")
    assert said.count("\n") == 1


@pytest.mark.parametrize("status", [None, 0, 2])
def test_otherwise_its_status_is_that_of_the_command(status: int | None) -> None:
    with pytest.raises(SystemExit) as end:
        interrupts.ended(lambda: status, "")
    assert end.value.code == status
