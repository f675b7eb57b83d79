"use strict";

/**
 * The coefficients of M over Dih(A): one mark for each rotation r^k and each reflection sr^k, a
 * dotted line for what most of them share, large and named marks for what stands out.
 *
 * explorerCoefficients(dom) → {node, pictures: [{title, picture}], show({task, parts})}; parts is a
 * decomposition or null.
 */
function explorerCoefficients({ el, svg }) {
  const WIDTH = 290, HEIGHT = 92, LEFT = 46, RIGHT = 12, TOP = 16, BOTTOM = 22;
  const SPACE = 12, LETTER = 7; // of a name
  const strips = ["rotations", "reflections"].map((name) => ({
    name,
    title: `Coefficients of ${name}`,
    picture: svg("svg", { class: "x-lines", role: "img", viewBox: `0 0 ${WIDTH} ${HEIGHT}` }),
  }));
  const node = el(
    "div",
    { class: "x-chart" },
    strips.map(({ title, picture }) => [
      el("div", { class: "x-chart-head" }, el("h3", {}, title)),
      picture,
    ]),
  );

  function show({ task, parts }) {
    strips.forEach(({ name, picture }, half) => {
      const { n } = task, from = half * n, places = [...Array(n).keys()];
      const values = places.map((k) => parts.coefficients[from + k]),
        level = parts.background[half];
      const low = Math.min(...values, level), high = Math.max(...values, level);
      const room = (high - low) || Math.abs(high) || 1;
      const x = (k) => LEFT + (k + 0.5) / n * (WIDTH - LEFT - RIGHT);
      const y = (value) =>
        HEIGHT - BOTTOM - (high === low ? 0.5 : (value - low) / room) * (HEIGHT - TOP - BOTTOM);
      const drawn = [
        svg("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: y(level), y2: y(level), class: "x-level" }),
      ];
      const ends = high === low ? [high] : [low, high];
      for (const end of ends) {
        drawn.push(svg("text", { x: LEFT - 6, y: y(end) + 4, class: "x-tick x-end" }, print(end)));
      }
      const found = [], named = [0, 0]; // where the last name above and below ends
      places.forEach((k) => {
        const out = parts.standsOut[from + k], value = values[k];
        drawn.push(
          svg("line", {
            x1: x(k),
            x2: x(k),
            y1: y(level),
            y2: y(value),
            class: out ? "x-stem x-out" : "x-stem",
          }),
        );
        drawn.push(
          svg("circle", {
            cx: x(k),
            cy: y(value),
            r: out ? 5 : 2.4,
            class: out ? "x-out" : "x-in",
          }),
        );
        if (!out) return;
        found.push(task.symmetries[from + k].name);
        const under = value < level, side = under ? 1 : 0;
        if (x(k) < named[side]) return; // no room: the sentence below names it
        named[side] = x(k) + SPACE + LETTER * found.at(-1).length;
        const place = { x: x(k) + 9, y: y(value) + (under ? 2 : 6), class: "x-name" };
        drawn.push(svg("text", place, found.at(-1)));
      });
      drawn.push(svg("text", { x: x(0), y: HEIGHT - 4, class: "x-tick x-middle" }, task.values[0]));
      drawn.push(
        svg("text", { x: x(n - 1), y: HEIGHT - 4, class: "x-tick x-middle" }, task.values[n - 1]),
      );
      picture.replaceChildren(...drawn);
      const which = found.length
        ? `${found.join(", ")} ${found.length === 1 ? "stands" : "stand"} out`
        : "none stands out";
      picture.setAttribute("aria-label", `Coefficients of ${n} ${name}: ${which}.`);
    });
  }

  const print = (value) =>
    value === 0 ? "0" : value.toPrecision(2).replace("e-", "e−").replace(/^-/, "−");

  return { node, pictures: strips, show };
}
