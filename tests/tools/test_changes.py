"""The chapters follow their first line: one change of one chapter.

Each run executes another chapter with another change. A failure names the seed; with it in the
environment, VARIANTS_SEED=..., the same is drawn. All of them: ``make variants``.
"""

import os
import random
import secrets

import notebooks
import variants

SEED = int(os.environ.get("VARIANTS_SEED") or secrets.randbelow(2**32))
QUICK = ("01", "02", "03", "06")  # chapters that take some 20 s of one core with a change


def test_a_chapter_runs_with_a_change() -> None:
    drawn = random.Random(SEED)
    asked = [
        (source.stem, label)
        for source in notebooks.sources()
        if source.stem.startswith(QUICK) and (cell := variants.parameters(notebooks.parse(source)))
        for label, change in variants.CHANGES.items()
        if variants.applies(cell.source, change)
    ]
    assert asked, "no chapter names what it is about"
    name, label = drawn.choice(asked)
    result = variants.run(name, label, variants.CHANGES[label])
    assert result["result"] == "runs", f"VARIANTS_SEED={SEED}: {name}, {label}: {result['untrue']}"
