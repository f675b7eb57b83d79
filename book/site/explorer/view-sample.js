"use strict";

/**
 * What there is to say about one sample: its equation, its mirror image, its orbit under what keeps
 * the training set, and its scores as bars over the classes, the right one marked.
 *
 * explorerSample(dom, words, scores) → {node, show(view)}; view.looked is {i, orbit, image, mirror}
 * or null, and scores draws the bars.
 */
function explorerSample({ el }, words, scores) {
  const node = el("div", { class: "x-sample-box" });
  const MOST = 12; // members of an orbit that are named

  function show(view) {
    const { looked } = view;
    if (!looked) {
      node.replaceChildren(
        el(
          "p",
          { class: "x-hint" },
          "Point at a cell, or walk there with the arrow keys: here appear its orbit, its mirror image and its scores. On a touch screen tap it twice.",
        ),
      );
      return;
    }
    const { task } = view, { i, orbit, image, mirror } = looked;
    const state = words.state(view, i);
    const facts = [
      el("p", { class: "x-equation" }, el("strong", {}, words.equation(task, i)), ` · ${state}`),
    ];
    if (mirror !== null) {
      const told = image === i
        ? `It lies on the axis of ${mirror}: its own mirror image.`
        : `Mirror image under ${mirror}: ${task.pair(image)}, ${words.state(view, image)}.`;
      facts.push(el("p", {}, told));
    }
    facts.push(el("p", {}, orbitTold(task, orbit)));
    facts.push(
      view.frame
        ? scores.bars(view, i)
        : el("p", { class: "x-hint" }, "Its scores appear with the first iteration."),
    );
    node.replaceChildren(...facts);
  }

  function orbitTold(task, orbit) {
    if (orbit.length === 1) return "Its orbit under what keeps the training set is itself alone.";
    const named = orbit.slice(0, MOST).map(task.pair).join(", ");
    return `Its orbit: ${named}${orbit.length > MOST ? ` and ${orbit.length - MOST} more` : ""}.`;
  }

  return { node, show };
}
