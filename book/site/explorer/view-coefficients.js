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
  const GAP = 9, SPACE = 12, LETTER = 7; // beside a name, above it, and of each of its letters
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
      const found = [];
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
        if (out) found.push({ k, name: task.symmetries[from + k].name });
      });
      const marks = found.map(({ k }) => ({ x: x(k), y: y(values[k]) }));
      found.forEach(({ name }, i) => {
        const place = named(marks, i, name, y(level));
        if (place) drawn.push(svg("text", place, name));
      });
      drawn.push(svg("text", { x: x(0), y: HEIGHT - 4, class: "x-tick x-middle" }, task.values[0]));
      drawn.push(
        svg("text", { x: x(n - 1), y: HEIGHT - 4, class: "x-tick x-middle" }, task.values[n - 1]),
      );
      picture.replaceChildren(...drawn);
      const which = found.length
        ? `${found.map(({ name }) => name).join(", ")} ${
          found.length === 1 ? "stands" : "stand"
        } out`
        : "none stands out";
      picture.setAttribute("aria-label", `Coefficients of ${n} ${name}: ${which}.`);
    });
  }

  /**
   * Where the name of mark i stands: on its right, or at the edge of the picture on its left. None
   * if it would lie on another mark or on its name; the sentence below has all names.
   */
  function named(marks, i, name, level) {
    const { x, y } = marks[i], width = LETTER * name.length, left = x + GAP + width > WIDTH;
    const start = left ? x - GAP - width : x + GAP, end = start + width + GAP;
    const taken = marks.some((mark, j) =>
      j !== i && Math.abs(mark.y - y) < SPACE && mark.x > start - GAP - (left ? width : 0) &&
      mark.x < end
    );
    const place = { x: left ? x - GAP : start, y: y + (y > level ? 2 : 6) };
    return taken ? null : { ...place, class: left ? "x-name x-end" : "x-name" };
  }

  const print = (value) =>
    value === 0 ? "0" : value.toPrecision(2).replace("e-", "e−").replace(/^-/, "−");

  return { node, pictures: strips, show };
}
