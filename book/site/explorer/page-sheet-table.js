"use strict";

/**
 * The table of samples for the sheet, as parts of an SVG: its cells, their signs and headings, the
 * axes, and the key. Colours and words are read off the page.
 *
 * explorerSheetTable(dom, inked) → {table(node, at), key(node, at)}; node is what view-table.js
 * and view-legend.js made, at is {x, y, width}, and what comes back is {parts, bottom}.
 */
function explorerSheetTable({ svg }, inked) {
  const ROW = 26, SWATCH = 16, LETTER = 6.6; // of the key; the last is the mean width of a letter

  function words(content, x, y, size, fill, anchor = "middle") {
    const place = { x, y: y + size * 0.36, "text-anchor": anchor };
    return svg("text", { ...place, "font-size": size, fill }, content);
  }

  /** One square with what stands in it: a number, a question mark, a tick or a cross. */
  function square(cell, { x, y, side }, ring) {
    const style = getComputedStyle(cell), { state } = cell.dataset, ink = style.color;
    const box = { x: x + 0.5, y: y + 0.5, width: side - 1, height: side - 1, rx: 2 };
    const edge = ring ? { stroke: ring, "stroke-width": 3 } : {};
    const back = svg("rect", { ...box, fill: style.backgroundColor, ...edge });
    return svg("g", {}, back, sign(state, cell.textContent, { x, y, side, ink }));
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
    return words(held ? "?" : label, x + side / 2, y + side / 2, size, ink);
  }

  function table(node, { x, y, width }) {
    const cells = [...node.querySelectorAll(".x-cell")], n = Math.sqrt(cells.length);
    const heads = [...node.querySelectorAll(".x-head")], side = width / (n + 1);
    const style = getComputedStyle(node), ring = style.getPropertyValue("--x-moved").trim();
    const shown = node.clientWidth / (n + 1); // a cell on the page
    const place = (a, b) => ({ x: x + (b + 1) * side, y: y + (a + 1) * side, side });
    const parts = cells.map((cell, i) =>
      square(cell, place(Math.floor(i / n), i % n), cell.dataset.kind === "moved" ? ring : null)
    );
    heads.forEach((head, i) => { // the operation, the columns, the rows
      const at = i <= n ? place(-1, i - 1) : place(i - n - 1, -1), style = getComputedStyle(head);
      const size = parseFloat(style.fontSize) / shown * side;
      parts.push(words(head.textContent, at.x + side / 2, at.y + side / 2, size, style.color));
    });
    const body = { x: x + side, y: y + side, width: width - side, height: width - side };
    parts.push(inked(node.querySelector(".x-axes"), { ...body, overflow: "visible" }));
    return { parts, bottom: y + width };
  }

  /** What the cells and lines mean, from left to right and then below. */
  function key(node, { x, y, width }) {
    const parts = [];
    let left = x, top = y;
    for (const entry of node.querySelectorAll("li")) {
      const swatch = entry.firstElementChild, style = getComputedStyle(swatch);
      const room = 2 * SWATCH + LETTER * entry.lastChild.textContent.length + 12;
      if (left + room > x + width) [left, top] = [x, top + ROW];
      const middle = top + SWATCH / 2, ring = getComputedStyle(node).getPropertyValue("--x-moved");
      if (swatch.dataset.state) {
        parts.push(square(swatch, { x: left, y: top, side: SWATCH }, null));
      } else if (swatch.classList.contains("x-swatch-moved")) {
        const box = { x: left + 2, y: top + 2, width: SWATCH - 4, height: SWATCH - 4, rx: 2 };
        parts.push(svg("rect", { ...box, fill: "none", stroke: ring.trim(), "stroke-width": 3 }));
      } else {
        const pen = { stroke: style.borderBottomColor, "stroke-width": style.borderBottomWidth };
        const dots = style.borderBottomStyle === "dotted" ? { "stroke-dasharray": "2 3" } : {};
        const line = { x1: left - 2, x2: left + SWATCH + 2, y1: middle, y2: middle };
        parts.push(svg("line", { ...line, ...pen, ...dots }));
      }
      const name = entry.textContent.slice(swatch.textContent.length);
      const { color } = getComputedStyle(entry);
      parts.push(words(name, left + SWATCH + 7, middle, 13, color, "start"));
      left += room;
    }
    return { parts, bottom: top + ROW };
  }

  return { table, key };
}
