/**
 * Splits of a task's samples into training and test. The same as rfm.Split: every change returns
 * a new split, and a change that rfm refuses is an Error with the same words.
 *
 * A split is {task, kind, mirrors, history}: kind[i] is one of KIND for sample i, mirrors are the k
 * of the reflections sr^k that were withheld whole, and history is a list of steps, plain objects
 * from which `replay` makes the split again:
 *   {do: "withhold", points}            {do: "random", fraction, seed}
 *   {do: "move", points}                {do: "giveBack", points}
 *   {do: "moveRandom", count, seed}     {do: "giveBackRandom", count, seed}
 *   {do: "movePairs", count, mirror, seed}   pairs {x, sr^k x}, k = mirror
 *   {do: "take", points}                random test points that were put into training by hand
 */
function rfmSplits(random, subgroups) {
  "use strict";
  const KIND = { TRAIN: 0, RANDOM: 1, WITHHELD: 2, MOVED: 3 };
  const { TRAIN, RANDOM, WITHHELD, MOVED } = KIND;
  // What a step of a list of points does to each of them, and what it says where it cannot.
  const CHANGES = {
    move: { before: TRAIN, after: MOVED, not: "in training" },
    giveBack: { before: WITHHELD, after: TRAIN, not: "a withheld point" },
    take: { before: RANDOM, after: TRAIN, not: "a test point drawn at random" },
  };
  const DRAWS = { moveRandom: "move", movePairs: "move", giveBackRandom: "giveBack" };

  /** A split, after making sure that there are training and test points. */
  function make(task, kind, mirrors, history) {
    const total = task.n ** 2, train = kind.filter((is) => is === TRAIN).length;
    if (train === 0 || train === total) {
      const which = train === 0 ? "training" : "test";
      throw new Error(`this would leave no ${which} points out of ${total} samples`);
    }
    return { task, kind, mirrors, history };
  }

  const START = {
    withhold(task, { points }) {
      points = listed(task, points);
      const kind = new Uint8Array(task.n ** 2), onAxis = new Int32Array(task.n);
      for (const i of points) {
        kind[i] = WITHHELD;
        onAxis[task.mirror[i]]++;
      }
      const mirrors = [...onAxis.keys()].filter((k) => onAxis[k] === task.n);
      return make(task, kind, mirrors, [{ do: "withhold", points }]);
    },
    random(task, { fraction, seed }) {
      const total = task.n ** 2, count = roundHalfEven(fraction * total);
      if (!(fraction >= 0 && fraction <= 1 && count > 0 && count < total)) {
        const allowed = `that leaves some of ${total} samples on either side`;
        throw new Error(`fraction must be a number between 0 and 1 ${allowed}, not ${fraction}`);
      }
      const kind = new Uint8Array(total).fill(RANDOM);
      for (const i of random.randperm(total, seed).subarray(0, count)) kind[i] = TRAIN;
      return make(task, kind, [], [{ do: "random", fraction, seed }]);
    },
  };

  /** The points that a step changes, sorted: those it names, or those it draws. */
  function chosen(split, step) {
    const { task, kind } = split, of = (wanted) => indices(kind, (is) => is === wanted);
    switch (step.do) {
      case "moveRandom":
        return draw(of(TRAIN), step, "training points");
      case "giveBackRandom":
        return draw(of(WITHHELD), step, "withheld points");
      case "movePairs": {
        const image = (i) => task.act(task.n + step.mirror, i);
        const both = of(TRAIN).filter((i) => i < image(i) && kind[image(i)] === TRAIN);
        const { name } = mirrorOf(task, step.mirror);
        const first = draw(both, step, `pairs mirrored by ${name} in training`);
        return sorted([...first, ...first.map(image)]);
      }
      default:
        return listed(task, step.points);
    }
  }

  /** The split after one more step. */
  function apply(split, step) {
    const change = CHANGES[DRAWS[step.do] ?? step.do];
    if (!change) throw new Error(`a split has no step ${step.do}`);
    const points = chosen(split, step), kind = split.kind.slice();
    for (const i of points) {
      if (kind[i] !== change.before) {
        throw new Error(`the pair ${split.task.pair(i)} is not ${change.not}`);
      }
      kind[i] = change.after;
    }
    const kept = DRAWS[step.do] ? { ...step } : { do: step.do, points };
    return make(split.task, kind, split.mirrors, [...split.history, kept]);
  }

  /** The split that a history makes. */
  function replay(task, history) {
    const [first, ...rest] = history;
    if (!first || !Object.hasOwn(START, first.do)) {
      throw new Error("a split begins with points withheld or drawn at random");
    }
    return rest.reduce(apply, START[first.do](task, first));
  }

  /**
   * The split after a click on sample i: out of training if it is in, into training if it is not.
   * Where an earlier step had moved i the other way, that is undone; a step that was drawn at
   * random, and those drawn after it, then stand in the history as the points that they drew.
   */
  function toggle(split, i) {
    const changed = split.history.map((_, at) => at > 0 && changes(split, at).includes(i));
    const at = changed.lastIndexOf(true);
    if (at > 0) return without(split, at, i);
    const what = { [TRAIN]: "move", [WITHHELD]: "giveBack", [RANDOM]: "take" }[split.kind[i]];
    const last = split.history.at(-1), earlier = split.history.slice(0, -1);
    if (last.do !== what) return apply(split, { do: what, points: [i] });
    return replay(split.task, [...earlier, { do: what, points: [...last.points, i] }]);
  }

  function changes(split, at) {
    return chosen(replay(split.task, split.history.slice(0, at)), split.history[at]);
  }

  function without(split, at, i) {
    const named = split.history.slice(at).map((step, later) => ({
      do: DRAWS[step.do] ?? step.do,
      points: changes(split, at + later).filter((point) => point !== i),
    }));
    const before = split.history.slice(0, at), rest = named.filter(({ points }) => points.length);
    const moves = rest.filter((step) => step.do === "move");
    const returns = rest.filter((step) => step.do !== "move");
    // Without that point another order may be needed, or nothing is left on one side in between.
    let refused = null;
    for (const order of [rest, [...moves, ...returns], [...returns, ...moves]]) {
      try {
        return replay(split.task, [...before, ...order]);
      } catch (problem) {
        refused ??= problem;
      }
    }
    throw refused;
  }

  /** All elements of Dih(A) that map the training set to itself. */
  const stabiliser = (split) => subgroups.keepers(split.task, inTraining(split));

  /** Test accuracy of a model that knows nothing but the group of the mirrors; null without any. */
  function orbitBaseline(split) {
    if (!split.mirrors.length) return null;
    const H = subgroups.generate(split.task, split.mirrors.map((k) => split.task.n + k));
    const right = subgroups.reached(H, inTraining(split)), test = of(split, "test");
    return test.filter((i) => right[i]).length / test.length;
  }

  const inTraining = (split) => Array.from(split.kind, (is) => Number(is === TRAIN));

  /** The sample numbers in "train" or "test", in table order. */
  function of(split, which) {
    return indices(split.kind, (is) => (is === TRAIN) === (which === "train"));
  }

  function draw(candidates, { count, seed }, what) {
    if (!Number.isInteger(count) || count < 0) {
      throw new Error(`count must be an integer of at least 0, not ${count}`);
    }
    if (count > candidates.length) {
      throw new Error(`asked for ${count} of ${candidates.length} ${what}`);
    }
    const order = random.randperm(candidates.length, seed).subarray(0, count);
    return sorted(Array.from(order, (i) => candidates[i]));
  }

  function listed(task, points) {
    const right = (i) => Number.isInteger(i) && i >= 0 && i < task.n ** 2;
    if (!Array.isArray(points) || !points.every(right)) {
      throw new Error(`points must be sample numbers from 0 to ${task.n ** 2 - 1}`);
    }
    return sorted([...new Set(points)]);
  }

  function mirrorOf(task, k) {
    if (!Number.isInteger(k) || k < 0 || k >= task.n) throw new Error(`there is no mirror ${k}`);
    return task.symmetries[task.n + k];
  }

  const sorted = (points) => points.sort((i, j) => i - j);
  const indices = (kind, wanted) => [...kind.keys()].filter((i) => wanted(kind[i]));

  /** As Python rounds: a half goes to the even number. */
  function roundHalfEven(x) {
    const low = Math.floor(x), rest = x - low;
    return rest === 0.5 ? low + low % 2 : Math.round(x);
  }

  /** The points on the axes of some reflections sr^k. */
  function axes(task, mirrors) {
    for (const k of mirrors) mirrorOf(task, k);
    return indices(task.mirror, (k) => mirrors.includes(k));
  }

  return {
    KIND,
    withhold: (task, points) => START.withhold(task, { points: Array.from(points) }),
    withholdMirrors: (task, mirrors) => START.withhold(task, { points: axes(task, mirrors) }),
    random: (task, fraction, seed) => START.random(task, { fraction, seed }),
    move: (split, points) => apply(split, { do: "move", points: Array.from(points) }),
    moveRandom: (split, count, seed) => apply(split, { do: "moveRandom", count, seed }),
    moveMirrorPairs: (split, count, mirror, seed) =>
      apply(split, { do: "movePairs", count, mirror, seed }),
    giveBack: (split, points) => apply(split, { do: "giveBack", points: Array.from(points) }),
    giveBackRandom: (split, count, seed) => apply(split, { do: "giveBackRandom", count, seed }),
    toggle,
    replay,
    of,
    axes,
    stabiliser,
    orbitBaseline,
    roundHalfEven,
  };
}
