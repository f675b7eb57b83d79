/**
 * Recursive feature machines: fit, take the AGOP, repeat. The same as rfm.fit.
 *
 * A frame describes iteration t, the machine that was fitted with M_{t−1}:
 *   iteration       t, from 1
 *   M               Float64Array(4n²): M_t, which the gradients of this machine give, row by row
 *   scores          Float64Array(n³): f of all n² samples, n classes each; lead Float64Array(n²),
 *                   right Uint8Array(n²), predicted Uint8Array(n²), see judging.js
 *   trainAccuracy, testAccuracy, randomAccuracy, withheldAccuracy, movedAccuracy
 *                   shares of the samples of a kind; null where there are none
 *   axisAccuracy    of the test points on the axes of the withheld mirrors
 *   orbitBaseline   test accuracy of the orbit-only model, or null
 *   trainLoss, testLoss    mean squared distances from the one-hot labels
 *   margin          the thinnest lead of a test point that is right, or null
 *   tie             the largest lead that counts as a tie
 *   condition       a lower bound on the condition number of K + λI
 *   jitter          what had to be added to the diagonal of K, mostly 0
 *   step, turn      how far M has moved, and how far its direction, in shares of its norm
 *   oddParts        Float64Array(n): ‖½ (M − Π M Πᵀ)‖ / ‖M‖ of M_t, for each reflection sr^k by k
 *   oddPart         that of the first withheld mirror, or null
 *   seconds         what the iteration took
 */
function rfmRecursion(products, solving, spectral, kernels, machines, judging, run) {
  "use strict";
  const { settings, splits } = run;
  const { largest, norm } = products, { EPS, TINY } = solving;

  /** A run: {N, step}, where step() makes the next frame. Errors as in settings.js and solve.js. */
  function start(given) {
    const { setting, task, split } = settings.checked(given), { n } = task, d = 2 * n;
    const train = splits.of(split, "train"), test = splits.of(split, "test"), N = train.length;
    const kernel = setting.kernel === "Gaussian"
      ? kernels.gaussian(setting.bandwidth)
      : kernels.quadratic();
    const YT = new Float64Array(n * N);
    train.forEach((i, place) => YT[task.label[i] * N + place] = 1);
    const scratch = { K: new Float64Array(N * N), L: new Float64Array(N * N) };
    const orbitBaseline = splits.orbitBaseline(split);
    let M = new Float64Array(d * d), iteration = 0;
    for (let u = 0; u < d; u++) M[u * d + u] = 1;

    function step() {
      const begun = performance.now(), { ridge, power, centred } = setting;
      const machine = machines.fit({ kernel, M, n, train, YT, ridge, scratch });
      const agop = sound(machine.agop(centred), "AGOP");
      const next = sound(spectral.matrixPower(agop, d, power), "M");
      const trained = machine.trainPredictions(), tested = machine.predict(test);
      const scores = new Float64Array(n * n * n);
      train.forEach((i, place) => scores.set(trained.subarray(place * n, (place + 1) * n), i * n));
      test.forEach((i, place) => scores.set(tested.subarray(place * n, (place + 1) * n), i * n));
      const tie = machine.resolution(trained), judged = judging.judge(task, scores, tie);
      const moved = distances(next, M), oddParts = oddShares(task, next);
      M = next;
      return {
        type: "frame",
        iteration: ++iteration,
        M: M.slice(),
        scores,
        ...judged,
        ...judging.accuracies(split, judged.right),
        orbitBaseline,
        trainLoss: judging.loss(task, scores, train),
        testLoss: judging.loss(task, scores, test),
        margin: judging.margin(split, judged),
        tie,
        condition: machine.factor.condition,
        jitter: machine.factor.jitter,
        ...moved,
        oddParts,
        oddPart: split.mirrors.length ? oddParts[split.mirrors[0]] : null,
        seconds: (performance.now() - begun) / 1000,
      };
    }

    return { N, step };
  }

  /** The matrix, after making sure that its entries are finite and not lost in underflow. */
  function sound(matrix, name) {
    const most = largest(matrix);
    if (!Number.isFinite(most)) throw new Error(`the ${name} has overflowed or is not finite`);
    if (most <= TINY / EPS) {
      const entry = most.toExponential(1);
      throw new Error(`the ${name} has vanished: its largest entry is ${entry}`);
    }
    return matrix;
  }

  /** How far M has moved, and how far its direction. */
  function distances(next, M) {
    const before = norm(M), after = norm(next);
    return {
      step: norm(next.map((entry, i) => entry - M[i])) / before,
      turn: norm(next.map((entry, i) => entry / after - M[i] / before)),
    };
  }

  /** ‖½ (M − Π(g) M Π(g)ᵀ)‖ / ‖M‖ for the reflections g = sr^k, by k. */
  function oddShares(task, M) {
    const d = 2 * task.n, whole = norm(M);
    return Float64Array.from({ length: task.n }, (_, k) => {
      const to = task.coordinates(task.n + k); // a reflection is its own inverse
      return norm(M.map((entry, i) => (entry - M[to[Math.floor(i / d)] * d + to[i % d]]) / 2)) /
        whole;
    });
  }

  return { start };
}
