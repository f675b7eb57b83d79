"use strict";

/**
 * What keeps the training set, by name and with its generators, and how the samples are split.
 *
 * explorerKept(dom, words) → {node, show({task, split, H})}.
 */
function explorerKept({ el }, words) {
  const name = el("strong", { class: "x-kept-name" }), told = el("span");
  const box = el("p", { class: "x-kept-box" }, "The training set is kept by ", name, told);
  const counts = el("p", { class: "x-note" });
  const node = el("div", { class: "x-kept-cell" }, box, counts);

  function show({ task, split, H }) {
    const none = H.order === 1;
    name.textContent = none ? "nothing" : `${words.generated(H)} · ${words.named(H)}`;
    told.textContent = words.kept(H);
    box.dataset.order = none ? "none" : "some";
    counts.textContent = `${task.name}: ${words.split(split)}.`;
  }

  return { node, show };
}
