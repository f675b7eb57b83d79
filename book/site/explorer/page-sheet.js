"use strict";

/**
 * One sheet with what the page shows, as an SVG that needs nothing else: on the left the table with
 * its key and what is said of it, on the right matrix, coefficients and lines, in the colours of
 * the page.
 *
 * explorerSheet(dom) → {draw({table, legend, matrix, coefficients, charts, lines}) → svg}.
 */
function explorerSheet({ svg }) {
  const WIDTH = 1200, LEFT = 40, TOP = 74, TABLE = 560, RIGHT = 650, CHART = 440, MATRIX = 200;
  const STYLES = [
    ...["fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "opacity"],
    ...["font-size", "font-weight", "text-anchor"],
  ];
  const tables = explorerSheetTable({ svg }, inked);

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

  /** A sentence in lines of the table's width, broken between words, but in no bracket. */
  function broken(sentence, most = 70) {
    const found = [""];
    let open = 0;
    const whole = Array.from(sentence, (c) => {
      open += (c === "(") - (c === ")");
      return open && c === " " ? "\u00a0" : c;
    });
    const words = whole.join("").split(" ").flatMap((word) => word.match(/.{1,70}/gu) ?? []);
    for (const word of words) {
      if (found.at(-1) && found.at(-1).length + word.length >= most) found.push("");
      found.push(`${found.pop()} ${word}`.trim());
    }
    return found;
  }

  function draw({ table, legend, matrix, coefficients, charts, lines }) {
    const style = getComputedStyle(table), colour = (name) => style.getPropertyValue(name).trim();
    const page = svg("svg", {
      xmlns: "http://www.w3.org/2000/svg",
      "font-family": "system-ui, sans-serif",
    });
    const text = (words, x, y, size, weight = 400, fill = colour("--x-ink")) =>
      page.append(svg("text", { x, y, "font-size": size, "font-weight": weight, fill }, words));
    const put = (picture, x, y, width) => {
      const [, , w, h] = picture.getAttribute("viewBox").split(" ").map(Number);
      page.append(inked(picture, { x, y, width, height: width * h / w }));
      return y + width * h / w;
    };

    /** The table with row a and column b, its key, and the sentences. */
    function left() {
      text(lines[0], LEFT, 46, 24, 650);
      const shown = tables.table(table, { x: LEFT, y: TOP - 8, width: TABLE });
      const key = tables.key(legend, { x: LEFT, y: shown.bottom + 12, width: TABLE });
      page.append(...shown.parts, ...key.parts);
      let y = key.bottom + 14;
      for (const line of lines.slice(1)) {
        for (const part of broken(line)) {
          text(part, LEFT, y, 16);
          y += 23;
        }
        y += 5;
      }
      return y;
    }

    function right() {
      text("Feature matrix", RIGHT, 60, 15, 600);
      const place = { x: RIGHT, y: TOP, width: MATRIX, height: MATRIX };
      const pixels = { href: matrix.toDataURL(), style: "image-rendering: pixelated" };
      page.append(svg("image", { ...place, ...pixels }));
      page.append(svg("rect", { ...place, fill: "none", stroke: colour("--x-rule") }));
      text("red above zero, blue below", RIGHT, TOP + MATRIX + 18, 13, 400, colour("--x-quiet"));
      let y = TOP;
      for (const { title, picture } of coefficients) {
        text(title, RIGHT + MATRIX + 15, y - 14, 15, 600);
        y = put(picture, RIGHT + MATRIX + 15, y - 4, 295) + 34;
      }
      y += 12;
      for (const chart of charts) {
        text(chart.title, RIGHT, y, 15, 600);
        let x = RIGHT + 200;
        for (const entry of chart.node.querySelectorAll(".x-legend li")) {
          page.append(inked(entry.querySelector("svg"), { x, y: y - 10, width: 24, height: 10 }));
          text(entry.textContent, x + 30, y, 13);
          x += 40 + 6.2 * entry.textContent.length;
        }
        y = put(chart.picture, RIGHT, y + 6, CHART);
        text("iteration", RIGHT + CHART, y - 7, 12, 400, colour("--x-quiet"));
        y += 30;
      }
      return y;
    }

    const height = Math.ceil(Math.max(left(), right()));
    page.prepend(svg("rect", { width: WIDTH, height, fill: colour("--x-paper") }));
    page.setAttribute("viewBox", `0 0 ${WIDTH} ${height}`);
    return page;
  }

  return { draw };
}
