"use strict";

/** What is read off the frames of a run: who is right, and the lines against the iteration. */
function explorerResults(engine) {
  const { KIND } = engine.splits;

  const where = (split, kind) => [...split.kind.keys()].filter((i) => split.kind[i] === kind);

  /** Share of a kind of test points that each frame has right; null where there is none. */
  function shares(split, frames, kind) {
    const points = where(split, kind);
    if (!points.length) return null;
    return frames.map(({ right }) => points.filter((i) => right[i]).length / points.length);
  }

  function accuracy(split, frames) {
    const baseline = engine.splits.orbitBaseline(split);
    const lines = [
      ["withheld", shares(split, frames, KIND.WITHHELD), "x-withheld"],
      ["moved", shares(split, frames, KIND.MOVED), "x-moved"],
      ["left out at random", shares(split, frames, KIND.RANDOM), "x-random"],
      [ // above the others, which may lie on it
        "orbit-only baseline",
        baseline === null ? null : frames.map(() => baseline),
        "x-baseline",
      ],
    ];
    return lines.flatMap(([name, values, look]) => values ? [{ name, values, look }] : []);
  }

  /** Median lead of the right class over the best other, at the points that the page is about. */
  function margins(split, frames) {
    const kinds = [
      [KIND.WITHHELD, "withheld", "x-withheld"],
      [KIND.RANDOM, "left out at random", "x-random"],
      [KIND.MOVED, "moved", "x-moved"],
    ];
    const [kind, name, look] = kinds.find(([kind]) => split.kind.includes(kind));
    const points = where(split, kind);
    const values = frames.map(({ lead }) => median(points.map((i) => lead[i])));
    return [{ name: `median, ${name}`, values, look }];
  }

  function median(values) {
    const sorted = [...values].sort((a, b) => a - b), half = (sorted.length - 1) / 2;
    return (sorted[Math.floor(half)] + sorted[Math.ceil(half)]) / 2;
  }

  /** How large the odd part of M under a reflection sr^k is, as a share of M. */
  function oddParts(task, k, frames) {
    const name = `under ${task.symmetries[task.n + k].name}`;
    return [{ name, values: frames.map(({ oddParts }) => oddParts[k]), look: "x-moved" }];
  }

  return { accuracy, margins, oddParts };
}
