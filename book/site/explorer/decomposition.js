/**
 * Feature matrices as sums of group elements, M ≈ Σ c_g Π(g), and which g stand out.
 * The same rule as rfm.decompose with its default options.
 *
 * @param thresholds thresholds[m]: how far, in spreads, the farthest of m normal variates lies in
 *     all but one of 100 cases; generated from the package, thresholds.js
 */
function rfmDecomposition(products, thresholds, EPS, roundHalfEven) {
  "use strict";
  const SHARE = 0.1; // of the largest deviation, below which nothing matters
  const { largest, norm, symmetrised } = products;

  /** See engine.js. */
  function decompose(task, given) {
    const { n, identity } = task, d = 2 * n, M = symmetrised(given, d);
    const coefficients = new Float64Array(d), carrier = new Int32Array(d * d);
    for (const { g } of task.symmetries) {
      const to = task.coordinates(g);
      for (let u = 0; u < d; u++) {
        carrier[to[u] * d + u] = g; // Π(g) has its ones there
        coefficients[g] += M[to[u] * d + u] / d;
      }
    }
    const whole = norm(M);
    const residual = whole
      ? norm(M.map((entry, i) => entry - coefficients[carrier[i]])) / whole
      : 0;
    const smallest = Math.sqrt(EPS) * largest(coefficients);

    // Of r^k and its inverse one, and not the identity.
    const once = [...Array(n).keys()].filter((k) => k <= task.group.inverses[k] && k !== identity);
    const kinds = [once, [...Array(n).keys()].map((k) => n + k)].map((of) => {
      const values = of.map((g) => coefficients[g]);
      const steps = values.map((value) => roundHalfEven(value / smallest) * smallest);
      const { level, spread } = background(smallest ? steps : values);
      const distance = thresholds[values.length];
      return {
        level,
        limit: Math.max(distance < Infinity ? distance * spread : Infinity, smallest),
      };
    });
    const kindOf = (g) => kinds[g < n ? 0 : 1];
    const deviations = coefficients.map((c, g) => c - kindOf(g).level);
    const most = largest(deviations.filter((_, g) => g !== identity));
    const standsOut = Uint8Array.from(deviations, (deviation, g) => {
      const matters = g === identity || Math.abs(deviation) >= SHARE * most;
      return Number(matters && Math.abs(deviation) > kindOf(g).limit);
    });
    return {
      coefficients,
      background: kinds.map(({ level }) => level),
      deviations,
      standsOut,
      elements: [...standsOut.keys()].filter((g) => standsOut[g]),
      residual,
    };
  }

  /** Middle and half-width of the shortest interval that holds half of some values. */
  function background(values) {
    const ordered = [...values].sort((x, y) => x - y), half = Math.floor((values.length + 1) / 2);
    let first = 0;
    const width = (start) => ordered[start + half - 1] - ordered[start];
    for (let start = 1; start + half <= ordered.length; start++) {
      if (width(start) < width(first)) first = start;
    }
    return { level: ordered[first] + width(first) / 2, spread: width(first) / 2 };
  }

  return { decompose };
}
