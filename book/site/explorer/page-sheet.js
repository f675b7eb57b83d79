"use strict";

/**
 * One sheet with what the page shows, as an SVG that needs nothing else: table, matrix and
 * coefficients, lines and their legend, the setting below, in the colours of the page.
 *
 * explorerSheet(dom) → {draw({table, matrix, coefficients, charts, lines}) → svg, WIDTH, HEIGHT}.
 */
function explorerSheet({ svg }) {
  const WIDTH = 1200, HEIGHT = 830, TABLE = 540, LEFT = 44, TOP = 70, RIGHT = 650, ROOM = 510;
  const STYLES = [
    ...["fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "opacity"],
    ...["font-size", "font-weight", "text-anchor"],
  ];

  /** A drawing of the page with its styles written into it. */
  function inked(drawing, place) {
    const copy = drawing.cloneNode(true), twins = [...copy.querySelectorAll("*")];
    [...drawing.querySelectorAll("*")].forEach((one, i) => {
      const style = getComputedStyle(one);
      for (const name of STYLES) twins[i].style.setProperty(name, style.getPropertyValue(name));
      twins[i].removeAttribute("class");
    });
    for (const [name, value] of Object.entries(place)) copy.setAttribute(name, value);
    copy.removeAttribute("class");
    return copy;
  }

  /** The cells as they stand on the page, each with its colour and its sign. */
  function cells(node, ring) {
    const all = [...node.querySelectorAll(".x-cell")], side = TABLE / Math.sqrt(all.length);
    return all.map((cell, i) => {
      const style = getComputedStyle(cell), { state, kind } = cell.dataset, ink = style.color;
      const x = (i * side) % TABLE, y = Math.floor(i * side / TABLE + 1e-9) * side;
      const box = { x: x + 0.5, y: y + 0.5, width: side - 1, height: side - 1 };
      const moved = kind === "moved" ? { stroke: ring, "stroke-width": 3 } : {};
      const back = svg("rect", { ...box, rx: 2, fill: style.backgroundColor, ...moved });
      return svg("g", {}, back, sign(state, cell.textContent, { x, y, side, ink }));
    });
  }

  function sign(state, label, { x, y, side, ink }) {
    const at = (u, v) => `${x + u * side} ${y + v * side}`;
    const strokes = {
      right: `M${at(0.27, 0.54)}L${at(0.43, 0.7)}L${at(0.74, 0.32)}`,
      wrong: `M${at(0.3, 0.3)}L${at(0.7, 0.7)}M${at(0.7, 0.3)}L${at(0.3, 0.7)}`,
    };
    if (state in strokes) {
      const pen = { stroke: ink, "stroke-width": side / 9, fill: "none" };
      return svg("path", { d: strokes[state], ...pen });
    }
    const held = state === "held", size = side * (held ? 0.6 : 0.42);
    const place = { x: x + side / 2, y: y + side / 2 + size * 0.36, "text-anchor": "middle" };
    return svg("text", { ...place, "font-size": size, fill: ink }, held ? "?" : label);
  }

  /** A sentence in lines of the sheet's width, broken between words. */
  function broken(sentence, most = 125) {
    const found = [""];
    for (const word of sentence.split(" ")) {
      if (found.at(-1) && found.at(-1).length + word.length >= most) found.push("");
      found.push(`${found.pop()} ${word}`.trim());
    }
    return found;
  }

  function draw({ table, matrix, coefficients, charts, lines }) {
    const style = getComputedStyle(table), colour = (name) => style.getPropertyValue(name).trim();
    const page = svg("svg", {
      xmlns: "http://www.w3.org/2000/svg",
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      "font-family": "system-ui, sans-serif",
    });
    const text = (words, x, y, size, weight = 400) =>
      svg(
        "text",
        { x, y, "font-size": size, "font-weight": weight, fill: colour("--x-ink") },
        words,
      );
    const put = ({ picture }, x, y, width) => {
      const [, , w, h] = picture.getAttribute("viewBox").split(" ").map(Number);
      page.append(inked(picture, { x, y, width, height: width * h / w }));
      return y + width * h / w;
    };
    page.append(svg("rect", { width: WIDTH, height: HEIGHT, fill: colour("--x-paper") }));
    page.append(text(lines[0], LEFT, 44, 24, 650));
    const square = { x: 0, y: 0, width: TABLE, height: TABLE, overflow: "visible" };
    const axes = inked(table.querySelector(".x-axes"), square);
    const body = svg("g", { transform: `translate(${LEFT} ${TOP})` });
    body.append(...cells(table, colour("--x-moved")), axes);
    page.append(body);
    lines.slice(1).flatMap((line) => broken(line)).forEach((line, i) =>
      page.append(text(line, LEFT, 694 + 28 * i, 17))
    );

    page.append(text("Feature matrix and its coefficients", RIGHT, 60, 15, 600));
    const place = { x: RIGHT, y: TOP, width: 200, height: 200 };
    const pixels = { href: matrix.toDataURL(), style: "image-rendering: pixelated" };
    page.append(svg("image", { ...place, ...pixels }));
    const [rotations, reflections] = coefficients;
    put(rotations, RIGHT + 215, TOP, ROOM - 215);
    put(reflections, RIGHT + 215, TOP + 104, ROOM - 215);
    let y = 306;
    for (const chart of charts) {
      page.append(text(chart.title, RIGHT, y, 15, 600));
      let x = RIGHT + 200;
      for (const entry of chart.node.querySelectorAll(".x-legend li")) {
        page.append(inked(entry.querySelector("svg"), { x, y: y - 10, width: 24, height: 10 }));
        page.append(text(entry.textContent, x + 30, y, 13));
        x += 40 + 6.2 * entry.textContent.length;
      }
      y = put(chart, RIGHT, y + 6, 440) + 30;
    }
    return page;
  }

  return { draw, WIDTH, HEIGHT };
}
