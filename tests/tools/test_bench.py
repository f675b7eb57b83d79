"""The benchmark compares like with like, and the page shows its tables."""

import re
from pathlib import Path

import bench
import pandas as pd
import pytest
import torch
from oracles import same
from repository import ROOT

import rfm

PAGE = ROOT / "book" / "computed.md"
TABLES = re.findall(r":file: (data/bench\w*\.csv)", PAGE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("p", [5, 7, 11])
def test_the_textbook_version_agrees_with_rfm(p: int) -> None:
    split = bench.problem(p)
    assert len(split.train) == p * p - p
    X, Z = bench.codes(split, split.train), bench.codes(split, split.test)
    Y = bench.one_hot_labels(split, split.train)
    M = torch.eye(2 * p, dtype=torch.float64)
    run = rfm.fit(split, bench.KERNEL, 2, device="cpu", keep_features=True)
    for ours in run.history[1:]:
        M, scores = bench.textbook_iteration(X, Y, Z, M, bench.KERNEL.bandwidth)
        same(M @ M, ours @ ours, 1e-10)
    before = run.history[1]
    machine = rfm.KernelMachine.fit(split.train, Y, bench.KERNEL, before)
    same(scores, machine.predict(split.test), 1e-10)


def test_rfm_is_measured(tmp_path: Path) -> None:
    found = bench.measure_rfm(5, 3, tmp_path / "kept.pt")
    assert len(found["seconds"]) == len(found[bench.CHOLESKY]) == 3
    assert torch.load(tmp_path / "kept.pt")["AGOP"].shape == (10, 10)
    pieces = bench.measure_pieces(5, 2, tmp_path / "unused")
    assert all(len(pieces[name]) == 3 for name in bench.PIECES)


def test_the_machines_of_the_trap_are_measured(tmp_path: Path) -> None:
    beside = bench.measure_beside(5, 2, tmp_path / "unused")
    assert len(beside["seconds"]) == len(beside["blocks"]) == 2
    assert len(bench.measure_blocks(6, 2, tmp_path / "unused")["seconds"]) == 2
    assert max(bench.measure_reduced(10**9 + 7, 2, tmp_path / "unused")["seconds"]) < 0.1


def test_the_page_shows_every_table() -> None:
    assert len(TABLES) == len(set(TABLES)) == len(list(bench.DATA.glob("bench*.csv")))


def test_the_stored_tables_say_honestly_whether_an_aim_is_met() -> None:
    table = pd.read_csv(bench.DATA / "bench_ratios.csv").set_index("figure")
    for name, (aim, reached) in bench.AIMS.items():
        assert table.loc[name, "aim"] == aim
        assert table.loc[name, "met"] == ("yes" if reached(table.loc[name, "median"]) else "no")
