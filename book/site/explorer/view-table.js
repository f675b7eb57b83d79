"use strict";

/**
 * The table of samples as a grid of cells: what is in training, right, wrong; the axes of mirrors;
 * the orbit of the cell that is looked at. Arrow keys walk, Space or Enter toggles.
 *
 * explorerTable(dom, words, {toggle(i), look(i | null)}) → {node, show(view)}.
 * A view is {task, split, frame: or null, axes: [{k, kept}], looked: {i, orbit, image} or null}.
 */
function explorerTable({ el, svg }, words, { toggle, look }) {
  const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
  const grid = el("div", { role: "grid", class: "x-grid", keydown: press });
  const lines = svg("svg", { class: "x-axes", "aria-hidden": "true" });
  const node = el("div", { class: "x-table" }, grid, lines);
  let task = null, cells = [], shown = [], at = 0;

  grid.addEventListener("pointerover", (event) => look(numberOf(event.target)));
  grid.addEventListener("pointerleave", () => look(numberOf(document.activeElement)));
  grid.addEventListener("focusin", (event) => {
    const i = numberOf(event.target);
    if (i === null) return;
    enter(i);
    look(i);
  });
  grid.addEventListener("focusout", () => look(null));
  grid.addEventListener("click", (event) => {
    const i = numberOf(event.target);
    if (i !== null) toggle(i);
  });

  function numberOf(target) {
    const cell = target.closest?.("[data-i]");
    return cell ? Number(cell.dataset.i) : null;
  }

  /** Make i the one cell that Tab reaches. */
  function enter(i) {
    cells[at].tabIndex = -1;
    at = i;
    cells[at].tabIndex = 0;
  }

  function press(event) {
    const i = numberOf(event.target), { n } = task;
    if (i === null || event.altKey || event.metaKey) return;
    const row = Math.floor(i / n), column = i % n;
    let [a, b] = [row, column];
    if (event.key === " " || event.key === "Enter") {
      event.preventDefault();
      return toggle(i);
    }
    if (event.key in STEPS) [a, b] = [row + STEPS[event.key][0], column + STEPS[event.key][1]];
    else if (event.key === "Home") [a, b] = [event.ctrlKey ? 0 : row, 0];
    else if (event.key === "End") [a, b] = [event.ctrlKey ? n - 1 : row, n - 1];
    else if (event.key === "PageUp") a = 0;
    else if (event.key === "PageDown") a = n - 1;
    else return;
    event.preventDefault();
    if (a >= 0 && a < n && b >= 0 && b < n) cells[a * n + b].focus();
  }

  function build() {
    const { n, values, operation } = task, plain = task.group.moduli.length === 1;
    const short = values.map((value) => value.replace(/[() ]/g, ""));
    const head = (role, value) => el("div", { role, class: "x-head", title: value[0] }, value[1]);
    node.style.setProperty("--n", n);
    node.style.setProperty("--letters", Math.max(...short.map((name) => name.length)));
    node.classList.toggle("x-long", !plain);
    cells = Array.from({ length: n * n }, (_, i) => {
      const text = plain ? short[task.label[i]] : "";
      return el("div", { role: "gridcell", class: "x-cell", tabindex: -1, "data-i": i }, text);
    });
    cells[at = Math.min(at, n * n - 1)].tabIndex = 0;
    shown = cells.map(() => "");
    const columns = values.map((value, b) => head("columnheader", [`b = ${value}`, short[b]]));
    const corner = el(
      "div",
      { role: "columnheader", class: "x-head", "aria-label": "a by b" },
      operation,
    );
    const rows = values.map((value, a) =>
      el(
        "div",
        { role: "row", class: "x-row" },
        head("rowheader", [`a = ${value}`, short[a]]),
        cells.slice(a * n, (a + 1) * n),
      )
    );
    grid.replaceChildren(el("div", { role: "row", class: "x-row" }, corner, columns), ...rows);
    grid.setAttribute("aria-label", `The table of ${task.name}: row a, column b`);
    lines.setAttribute("viewBox", `0 0 ${n} ${n}`);
  }

  function paint(view) {
    const KINDS = ["train", "random", "withheld", "moved"];
    cells.forEach((cell, i) => {
      const kind = KINDS[view.split.kind[i]];
      const judged = view.frame ? (view.frame.right[i] ? "right" : "wrong") : "held";
      const state = kind === "train" ? kind : judged;
      const label = words.cell(view, i);
      const orbit = view.looked?.orbit.includes(i), image = view.looked?.image === i;
      const key = `${state} ${kind} ${label} ${orbit} ${image}`;
      if (shown[i] === key) return;
      shown[i] = key;
      cell.setAttribute("aria-label", label);
      cell.dataset.state = state;
      cell.dataset.kind = kind;
      cell.classList.toggle("x-orbit", Boolean(orbit));
      cell.classList.toggle("x-image", Boolean(image));
    });
  }

  /** An axis as strokes across the corners where its cells touch; rings where they do not. */
  function axis({ k, kept }) {
    const { n } = task, b = [];
    for (let i = 0; i < n * n; i++) if (task.mirror[i] === k) b[Math.floor(i / n)] = i % n;
    const marks = [];
    const stroke = (a, side, from, to) =>
      marks.push(svg("line", {
        x1: b[a] + 0.5 + side[1] * from,
        y1: a + 0.5 + side[0] * from,
        x2: b[a] + 0.5 + side[1] * to,
        y2: a + 0.5 + side[0] * to,
      }));
    const end = 0.5 + 0.008 * n; // a little beyond the table, as far at every size
    const joints = (by) => b.slice(1).filter((to, a) => to - b[a] === by).length;
    if (joints(1) + joints(-1) < n / 2) {
      b.forEach((to, a) => marks.push(svg("circle", { cx: to + 0.5, cy: a + 0.5, r: 0.4 })));
    } else {
      const slope = joints(1) >= joints(-1) ? 1 : -1;
      b.forEach((_, a) => {
        if (b[a + 1] === b[a] + slope) stroke(a, [1, slope], 0.3, 0.7);
        if (a === 0) stroke(a, [-1, -slope], 0.3, end);
        if (a === n - 1) stroke(a, [1, slope], 0.3, end);
      });
    }
    return svg("g", { class: kept ? "x-kept" : "x-broken" }, marks);
  }

  function show(view) {
    const other = view.task.name !== task?.name;
    task = view.task;
    if (other) build(); // else the cells stay, and the focus with them
    paint(view);
    lines.replaceChildren(...view.axes.map(axis));
  }

  return { node, show, focus: (i) => cells[i].focus() };
}
