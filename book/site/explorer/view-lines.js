"use strict";

/**
 * Lines against the iteration, in SVG, with a legend and a mark at the iteration that is shown.
 *
 * explorerLines(dom, {title, ticks, place, print}) → {node, show({series, total, at})}.
 * place(value) → 0 … 1 from bottom to top; ticks are values. A series is
 * {name, values: [… or null], look}, where look names its colour and dashes in explorer.css.
 */
function explorerLines({ el, svg }, { title, ticks, place, print = String, height = 150 }) {
  const WIDTH = 440, LEFT = 46, RIGHT = 12, TOP = 10, BOTTOM = 24;
  const picture = svg("svg", { class: "x-lines", role: "img", viewBox: `0 0 ${WIDTH} ${height}` });
  const legend = el("ul", { class: "x-legend" });
  const head = el("div", { class: "x-chart-head" }, el("h3", {}, title), legend);
  const node = el("div", { class: "x-chart" }, head, picture);

  const y = (value) => height - BOTTOM - place(value) * (height - TOP - BOTTOM);

  function show({ series, total, at }) {
    const x = (t) => LEFT + (total > 1 ? (t - 1) / (total - 1) : 0) * (WIDTH - LEFT - RIGHT);
    const parts = [];
    for (const tick of ticks) {
      const line = { x1: LEFT, x2: WIDTH - RIGHT, y1: y(tick), y2: y(tick), class: "x-rule" };
      parts.push(svg("line", line));
      parts.push(svg("text", { x: LEFT - 6, y: y(tick) + 4, class: "x-tick x-end" }, print(tick)));
    }
    const step = [1, 2, 5, 10, 20, 50, 100, 200].find((size) => total / size <= 7) ?? 500;
    const marks = [
      1,
      ...Array.from({ length: Math.floor(total / step) }, (_, i) => (i + 1) * step),
    ];
    for (const t of new Set(marks.filter((t) => t === 1 || step === 1 || t > 1))) {
      parts.push(svg("text", { x: x(t), y: height - 7, class: "x-tick x-middle" }, `${t}`));
    }
    if (at) {
      parts.push(
        svg("line", { x1: x(at), x2: x(at), y1: TOP, y2: height - BOTTOM, class: "x-now" }),
      );
    }
    for (const { values, look } of series) {
      parts.push(svg("path", { d: path(values, x), class: `x-line ${look}` }));
      const value = values[at - 1];
      if (at && finite(value)) {
        parts.push(svg("circle", { cx: x(at), cy: y(value), r: 4, class: `x-dot ${look}` }));
      }
    }
    picture.replaceChildren(...parts);
    picture.setAttribute("aria-label", told(series, at));
    const key = series.map(({ name }) => name).join();
    if (legend.dataset.key !== key) {
      legend.dataset.key = key;
      legend.replaceChildren(...series.map(({ name, look }) => el("li", {}, sample(look), name)));
    }
  }

  const finite = (value) => typeof value === "number" && Number.isFinite(value);

  function path(values, x) {
    let pen = "M";
    return values.map((value, i) => {
      if (!finite(value)) {
        pen = "M";
        return "";
      }
      const point = `${pen}${x(i + 1).toFixed(1)} ${y(value).toFixed(1)}`;
      pen = "L";
      return point;
    }).join("");
  }

  function sample(look) {
    const line = svg("path", { d: "M1 5H23", class: `x-line ${look}` });
    return svg("svg", { viewBox: "0 0 24 10", class: "x-sample", "aria-hidden": "true" }, line);
  }

  function told(series, at) {
    if (!at) return `${title}: nothing is computed yet.`;
    const now = series.map(({ name, values }) => {
      const value = values[at - 1];
      return `${name} ${finite(value) ? Number(value.toPrecision(3)) : "none"}`;
    });
    return `${title} at iteration ${at}: ${now.join(", ")}.`;
  }

  return { node, picture, show, title };
}
