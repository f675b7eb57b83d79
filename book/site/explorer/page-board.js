"use strict";

/**
 * The right side: accuracy, the feature matrix and its coefficients, margin and odd part.
 *
 * explorerBoard(dom, engine, words, results) → {node, show(view, frames, total, at), pictures()}.
 */
function explorerBoard(dom, engine, words, results) {
  const { el } = dom, LINEAR = 1e-5;
  const symlog = (x) => Math.sign(x) * Math.log10(1 + Math.abs(x) / LINEAR);
  const tens = (x) => {
    if (x === 0) return "0";
    const power = Math.round(Math.log10(Math.abs(x)));
    const digits = `${Math.abs(power)}`.replace(/\d/g, (d) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[d]);
    return power === 0
      ? `${x}`.replace("-", "−")
      : `${x < 0 ? "−" : ""}10${power < 0 ? "⁻" : ""}${digits}`;
  };
  const span = (low, high) => (x) => Math.max(0, Math.min(1, (x - low) / (high - low)));
  const within = span(symlog(-1), symlog(1)), decades = span(-18, 0);
  const accuracy = explorerLines(dom, {
    title: "Share that is right",
    ticks: [0, 0.5, 1],
    place: span(-0.04, 1.04),
    print: (x) => `${100 * x} %`,
    height: 170,
  });
  const margin = explorerLines(dom, {
    title: "Lead of the right class",
    ticks: [-1, -1e-3, 0, 1e-3, 1],
    place: (x) => within(symlog(x)),
    print: tens,
  });
  const odd = explorerLines(dom, {
    title: "Odd part of the matrix",
    ticks: [1e-18, 1e-12, 1e-6, 1],
    place: (x) => decades(Math.log10(Math.max(x, 1e-18))),
    print: tens,
    height: 120,
  });
  const matrix = explorerMatrix(dom), coefficients = explorerCoefficients(dom);
  const found = el("p", { class: "x-note x-found" });
  const node = el(
    "div",
    { class: "x-board" },
    accuracy.node,
    el("h2", {}, "What it has learned"),
    el("div", { class: "x-learned" }, matrix.node, el("div", {}, coefficients.node, found)),
    margin.node,
    odd.node,
  );

  function show({ task, split, frame, axes }, frames, total, at) {
    const now = { total, at }, k = axes[0]?.k;
    accuracy.show({ series: results.accuracy(split, frames), ...now });
    margin.show({ series: results.margins(split, frames), ...now });
    odd.node.hidden = k === undefined;
    if (k !== undefined) odd.show({ series: results.oddParts(task, k, frames), ...now });
    learned(task, frame);
  }

  function learned(task, frame) {
    const M = frame ? frame.M : identity(2 * task.n), parts = engine.decompose(task, M);
    const names = Array.from(parts.elements, (g) => task.symmetries[g].name);
    const told = names.length
      ? `${words.list(names)} ${names.length === 1 ? "stands" : "stand"} out`
      : "no element stands out";
    matrix.show({ task, M, told: `${told}.` });
    coefficients.show({ task, parts });
    found.textContent = frame
      ? `Of ${2 * task.n} group elements, ${told}.`
      : "The start: the identity matrix, in which nothing is learned.";
  }

  function identity(d) {
    const M = new Float64Array(d * d);
    for (let u = 0; u < d; u++) M[u * d + u] = 1;
    return M;
  }

  const pictures = () => ({
    matrix: matrix.canvas,
    coefficients: coefficients.pictures,
    found: found.textContent,
    charts: odd.node.hidden ? [accuracy, margin] : [accuracy, margin, odd],
  });

  return { node, show, pictures };
}
