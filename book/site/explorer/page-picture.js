"use strict";

/**
 * The view as a PNG: table, matrix, accuracy and coefficients on one sheet, with the setting below,
 * in the colours that the page has at the moment.
 *
 * explorerPicture(dom) → {download({table, matrix, charts, lines, name}) → Promise}.
 */
function explorerPicture({ el, svg }) {
  const WIDTH = 1200, HEIGHT = 800, SCALE = 2, TABLE = 560, RIGHT = 660;
  const STYLES = [
    "fill",
    "stroke",
    "stroke-width",
    "stroke-dasharray",
    "opacity",
    "font-size",
    "font-family",
    "font-weight",
    "text-anchor",
  ];

  /** A drawing of the page with its colours written into it: a picture has no style sheet. */
  function inked(drawing, place) {
    const copy = drawing.cloneNode(true);
    const twins = [...copy.querySelectorAll("*")];
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
  function tableOf(node) {
    const cells = [...node.querySelectorAll(".x-cell")], n = Math.sqrt(cells.length);
    const side = TABLE / n, parts = [];
    cells.forEach((cell, i) => {
      const style = getComputedStyle(cell), x = (i % n) * side, y = Math.floor(i / n) * side;
      parts.push(
        svg("rect", {
          x: x + 0.5,
          y: y + 0.5,
          width: side - 1,
          height: side - 1,
          fill: style.backgroundColor,
        }),
      );
      const at = (u, v) => `${x + u * side} ${y + v * side}`, ink = style.color;
      const signs = {
        right: `M${at(0.27, 0.54)}L${at(0.43, 0.7)}L${at(0.74, 0.32)}`,
        wrong: `M${at(0.3, 0.3)}L${at(0.7, 0.7)}M${at(0.7, 0.3)}L${at(0.3, 0.7)}`,
      };
      const { state } = cell.dataset;
      if (signs[state]) {
        parts.push(
          svg("path", { d: signs[state], stroke: ink, "stroke-width": side / 9, fill: "none" }),
        );
      } else {
        const size = side * (state === "held" ? 0.6 : 0.42),
          word = state === "held" ? "?" : cell.textContent;
        parts.push(
          svg("text", {
            x: x + side / 2,
            y: y + side / 2 + size * 0.36,
            "font-size": size,
            "text-anchor": "middle",
            fill: ink,
          }, word),
        );
      }
    });
    const axes = inked(node.querySelector(".x-axes"), {
      x: 0,
      y: 0,
      width: TABLE,
      height: TABLE,
      overflow: "visible",
    });
    return svg("g", { transform: "translate(50 70)" }, parts, axes);
  }

  function sheet({ table, matrix, charts, lines }, style) {
    const text = (words, x, y, size, more = {}) =>
      svg("text", {
        x,
        y,
        "font-size": size,
        fill: style.getPropertyValue("--x-ink").trim(),
        ...more,
      }, words);
    const page = svg("svg", {
      xmlns: "http://www.w3.org/2000/svg",
      width: WIDTH * SCALE,
      height: HEIGHT * SCALE,
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      "font-family": "system-ui, sans-serif",
    });
    page.append(
      svg("rect", {
        width: WIDTH,
        height: HEIGHT,
        fill: style.getPropertyValue("--x-paper").trim(),
      }),
    );
    page.append(text(lines[0], 50, 42, 24, { "font-weight": 650 }), tableOf(table));
    lines.slice(1).forEach((line, i) => page.append(text(line, 50, 690 + 26 * i, 17)));
    page.append(text("Feature matrix", RIGHT, 66, 15, { "font-weight": 600 }));
    const picture = svg("image", {
      x: RIGHT,
      y: 76,
      width: 230,
      height: 230,
      href: matrix.toDataURL(),
      style: "image-rendering: pixelated",
    });
    page.append(picture);
    let y = 346;
    for (const { title, picture: drawing } of charts) {
      const [, , width, height] = drawing.getAttribute("viewBox").split(" ").map(Number);
      page.append(text(title, RIGHT, y, 15, { "font-weight": 600 }));
      page.append(inked(drawing, { x: RIGHT, y: y + 6, width, height }));
      y += height + 30;
    }
    return page;
  }

  async function download(view) {
    const style = getComputedStyle(view.table), page = sheet(view, style);
    const source = new XMLSerializer().serializeToString(page), image = new Image();
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(source)}`;
    await image.decode();
    const canvas = el("canvas", { width: WIDTH * SCALE, height: HEIGHT * SCALE });
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
    const address = URL.createObjectURL(blob);
    const link = el("a", { href: address, download: `${view.name}.png` });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(address), 10000);
  }

  return { download };
}
