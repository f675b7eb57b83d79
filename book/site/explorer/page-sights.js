"use strict";

/** What the table draws besides its cells: the axes of mirrors, and one sample with its orbit. */
function explorerSights({ symmetry }) {
  const FEW = 3, MOST = 6; // axes that are drawn where no mirror was withheld, and at all

  /** The mirrors that were withheld, kept or broken, and few others that keep the training set. */
  function axes({ task, split, H }) {
    const { n } = task, withheld = split.mirrors;
    const found = withheld.map((k) => ({ k, kept: H.elements.includes(n + k) }));
    const more = H.elements.filter((g) => g >= n && !withheld.includes(g - n));
    if (more.length <= FEW) found.push(...more.map((g) => ({ k: g - n, kept: true })));
    return found.slice(0, MOST);
  }

  /** Sample i, its orbit under what keeps the training set, and its image under the first mirror. */
  function looked({ task, split, H }, i) {
    if (i === null || i >= task.n ** 2) return null;
    const own = H.elements.find((g) => g >= task.n) ?? null;
    const g = split.mirrors.length ? task.n + split.mirrors[0] : own;
    return {
      i,
      orbit: symmetry.orbit(H, i),
      image: g === null ? null : task.act(g, i),
      mirror: g === null ? null : task.symmetries[g].name,
    };
  }

  return { axes, looked };
}
