"use strict";

/**
 * The scores of one sample as bars over the classes: the right class marked by a wedge, what leads
 * in another colour. Where the scores hardly differ the bars begin near the lowest.
 *
 * explorerScores(dom, words) → {bars(view, i) → node}.
 */
function explorerScores({ el, svg }, words) {
  const WIDTH = 440, HEIGHT = 96, TOP = 14, BASE = 76, LABELS = 14;
  const short = (value) => value.replace(/[() ]/g, "");
  const print = (value) => value.toPrecision(3).replace("-", "−");

  /** Where the bars begin: at zero, or below the lowest where all are alike. */
  function floorOf(own, tie) {
    const low = Math.min(...own), high = Math.max(...own), spread = high - low;
    if (spread <= tie || spread > 0.3 * Math.max(Math.abs(low), Math.abs(high))) return null;
    return low - 0.1 * spread;
  }

  function bars({ task, frame }, i) {
    const { own, leaders, place } = words.ranked(task, frame, i), { n, values } = task;
    const right = task.label[i], floor = floorOf(own, frame.tie), from = floor ?? 0;
    const low = Math.min(from, ...own), high = Math.max(from, ...own);
    const y = (score) => TOP + (high - score) / (high - low || 1) * (BASE - TOP);
    const x = (c, within = 0.5) => (c + within) / n * WIDTH;
    const longest = Math.max(...values.map((value) => short(value).length));
    const every = Math.ceil(n * Math.max(1, longest / 2) / LABELS), parts = [];
    own.forEach((score, c) => {
      const look = c === right ? "x-bar-right" : leaders.includes(c) ? "x-bar-best" : "";
      const top = Math.min(y(score), y(from)), height = Math.max(1, Math.abs(y(score) - y(from)));
      const box = { x: x(c, 0.12), width: 0.76 * WIDTH / n, y: top, height };
      parts.push(svg("rect", { ...box, class: `x-bar ${look}` }));
      if (c !== right && (c % every || Math.abs(c - right) < every)) return;
      const size = c === right ? "x-name" : "x-tick";
      parts.push(svg("text", { x: x(c), y: 90, class: `${size} x-middle` }, short(values[c])));
    });
    parts.push(svg("line", { x1: 0, x2: WIDTH, y1: y(from), y2: y(from), class: "x-rule" }));
    parts.push(svg("path", { d: `M${x(right)} 10l-5 -8h10z`, class: "x-bar-right" }));
    const told = sentence(task, { own, leaders, place }, right) +
      (floor === null ? "" : ` The bars begin at ${print(floor)}.`);
    const box = { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "x-lines", role: "img" };
    return el(
      "div",
      {},
      svg("svg", { ...box, "aria-label": `Scores of ${n} classes. ${told}` }, parts),
      el("p", { class: "x-note" }, told),
    );
  }

  function sentence({ n, values }, { own, leaders, place }, right) {
    const score = `The right class, ${values[right]}, has the score ${print(own[right])}`;
    if (leaders.length === n) return `${score}, as all others have.`;
    if (leaders.length > 1 && place === 1) return `${score} and shares the lead.`;
    if (place === 1) return `${score} and leads.`;
    return `${score} and place ${place} of ${n}.`;
  }

  return { bars };
}
