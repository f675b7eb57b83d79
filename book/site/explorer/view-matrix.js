"use strict";

/**
 * The feature matrix as a picture: red above zero, blue below, paper at zero, lines between the
 * coordinates of a and b. For × and ÷ the coordinates are sorted by logarithm, as in the book.
 *
 * explorerMatrix(dom) → {node, show({task, M, told}), canvas}; M is (2n × 2n), row by row.
 */
function explorerMatrix({ el }) {
  const canvas = el("canvas", {
    role: "img",
    "aria-label": "The feature matrix",
    class: "x-matrix",
  });
  const note = el("p", { class: "x-note" });
  const node = el("div", { class: "x-matrix-box" }, el("div", { class: "x-frame" }, canvas), note);

  const rgb = (name) => {
    const found = getComputedStyle(node).getPropertyValue(name).trim().replace("#", "");
    return [0, 2, 4].map((at) => parseInt(found.slice(at, at + 2), 16) || 0);
  };

  function order({ n, multiplicative, group }) {
    const places = Array.from({ length: n }, (_, i) => i);
    if (multiplicative) places.sort((a, b) => group.logarithm[a] - group.logarithm[b]);
    return [...places, ...places.map((i) => n + i)];
  }

  function show({ task, M, told }) {
    const d = 2 * task.n, at = order(task), image = new ImageData(d, d);
    const largest = M.reduce((top, entry) => Math.max(top, Math.abs(entry)), 0);
    const [zero, above, below] = ["--x-zero", "--x-above", "--x-below"].map(rgb);
    for (let i = 0; i < d; i++) {
      for (let j = 0; j < d; j++) {
        const value = largest ? M[at[i] * d + at[j]] / largest : 0;
        const towards = value > 0 ? above : below, share = Math.abs(value) ** 0.8;
        const pixel = 4 * (i * d + j);
        for (let c = 0; c < 3; c++) {
          image.data[pixel + c] = zero[c] + share * (towards[c] - zero[c]);
        }
        image.data[pixel + 3] = 255;
      }
    }
    canvas.width = canvas.height = d;
    canvas.getContext("2d").putImageData(image, 0, 0);
    canvas.setAttribute("aria-label", `The feature matrix, ${d} by ${d}. ${told}`);
    note.textContent = `Largest entry ${largest.toPrecision(2)}: red is above zero, blue below.`;
  }

  return { node, canvas, show };
}
