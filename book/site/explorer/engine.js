/**
 * The explorer's engine: recursive feature machines in the reader's browser, by the rules of the
 * package rfm, in double precision, without a network.
 *
 * Every file defines one function that makes one part, and takes the parts that it needs: load
 * these scripts in any order, then call rfmEngine().
 *     groups tasks subgroups random splits settings address python thresholds products solve
 *     spectral kernels gradients machine decomposition judging recursion worker parts engine  (.js)
 *
 * const engine = rfmEngine();
 *
 * engine.makeTask({operation: "+", orders: [19]}) → task. operation: one of + - × ÷; orders:
 *     n₁, …, n_k, or [p] for × and ÷; up to 25 elements. An Error says what is not allowed.
 *   task.n, task.name, task.values        values[a] is the element at position a, as rfm prints it
 *   task.label[i], task.mirror[i]         of sample i = a·n + b: position of a ∘ b; the k of the one
 *                                         reflection sr^k that fixes the sample
 *   task.symmetries[g] = {g, k, reflects, name}     g = k for r^k, g = n + k for sr^k
 *   task.act(g, i) → sample; task.coordinates(g)[u] → coordinate; task.compose(g, h), inverse(g)
 *   task.identity, task.group (table, inverses, logarithm, moduli), task.pair(i) → "(3, 4)"
 *   task.multiplicative                   whether × or ÷: axes may be sorted by group.logarithm
 *
 * engine.splits: every call returns a new split {task, kind, mirrors, history}.
 *   KIND = {TRAIN: 0, RANDOM: 1, WITHHELD: 2, MOVED: 3}; split.kind is a Uint8Array(n²).
 *   withhold(task, points), withholdMirrors(task, [k, …]), random(task, fraction, seed)
 *   move(split, points), moveRandom(split, count, seed), moveMirrorPairs(split, count, k, seed)
 *   giveBack(split, points), giveBackRandom(split, count, seed)
 *   toggle(split, i)                      a click on a cell: out of training, or into it
 *   of(split, "train" | "test") → sample numbers; axes(task, [k, …]) → samples that these fix
 *   replay(task, history) → split         what a setting's steps make
 *   orbitBaseline(split) → number | null
 * engine.symmetry:
 *   stabiliser(split) → subgroup; generate(task, [g, …]) → subgroup
 *   subgroup = {task, elements: [g, …], generators: [g, …], name: "D_10", order}
 *   orbit(subgroup, i) → samples; reached(subgroup, inside) → 0 | 1 a sample
 *   mirrorImages(task, i) → [sample, …]   by k: what sr^k makes of sample i
 *
 * A setting is plain data: {operation, orders, kernel: "Gaussian" | "Quadratic", bandwidth, ridge,
 * power, centred, steps}, with steps = split.history.
 *   engine.settings.DEFAULTS              what counts where a setting leaves something out
 *   engine.settings.checked(setting) → {setting, task, split}
 *   engine.settings.encode(setting) → text for location.hash; decode(text) → setting, or an Error
 *   engine.settings.python(setting, iterations = 60) → the lines of Python
 *
 * engine.decompose(task, M) → {coefficients: Float64Array(2n), background: [rotations,
 *     reflections], deviations, standsOut: Uint8Array(2n), elements: [g, …], residual}
 *
 * engine.startWorker() → Worker. One worker computes one run at a time:
 *   post {type: "start", setting}         begins a run (again); answered by {type: "ready", N}
 *   post {type: "step"}                   answered by one frame; not to post is to pause
 *   {type: "frame", iteration, …}         see recursion.js for all that it holds
 *   {type: "error", message}              the setting is wrong, or the run cannot go on
 */
function rfmEngine() {
  "use strict";
  const FACTORIES = [
    ...[rfmGroups, rfmTasks, rfmSubgroups, rfmRandom, rfmSplits, rfmSettings, rfmAddress],
    ...[rfmPython, rfmThresholds, rfmProducts, rfmSolve, rfmSpectral, rfmKernels, rfmGradients],
    ...[rfmMachine, rfmDecomposition, rfmJudging, rfmRecursion, rfmWorker, rfmParts],
  ];
  const parts = rfmParts(), { stabiliser, ...changes } = parts.splits;
  const { generate, orbit, reached } = parts.subgroups;

  const mirrorImages = (task, i) =>
    Array.from({ length: task.n }, (_, k) => task.act(task.n + k, i));

  /** A worker made of the sources of the parts: also where the page is read from a file. */
  function startWorker() {
    const source = [...FACTORIES, "rfmWorker(self, rfmParts().recursion);"].join("\n");
    const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    const worker = new Worker(address);
    URL.revokeObjectURL(address);
    return worker;
  }

  return {
    makeTask: parts.tasks.makeTask,
    splits: changes,
    symmetry: { stabiliser, generate, orbit, reached, mirrorImages },
    settings: parts.settings,
    decompose: parts.decomposition.decompose,
    startWorker,
    parts,
  };
}
