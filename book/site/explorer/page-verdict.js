"use strict";

/**
 * What came out, in large figures and one sentence that says what the mirror has to do with it.
 *
 * explorerVerdict(dom, words, KIND) → {node, show(view, done)}; done: whether the run is at its end.
 */
function explorerVerdict({ el }, words, KIND) {
  const figures = el("div", { class: "x-figures" }), sentence = el("p", { class: "x-verdict" });
  const node = el("div", { class: "x-result" }, figures, sentence);
  const WHICH = { [KIND.RANDOM]: "left out at random", [KIND.MOVED]: "moved" };

  /** ["open" | "shut" | "part" | "free", sentence] */
  function judge({ task, split, H, frame, axes }, results, done) {
    const { kind, right, all } = results.find((one) => one.kind !== KIND.MOVED) ?? results[0];
    const train = split.kind.filter((is) => is === KIND.TRAIN).length, total = split.kind.length;
    if (!frame) {
      const asked = total - train === 1 ? "Will it find the other?" : "Which others will it find?";
      return ["open", `It is shown ${train} of ${total} entries. ${asked}`];
    }
    const whole = H.elements.some((g) => g >= task.n), broken = axes.filter(({ kept }) => !kept);
    const lost = ["", "The mirror is broken"][broken.length] ?? "The mirrors are broken";
    const mirror = whole ? "A mirror keeps the training set" : lost;
    const which = WHICH[kind] ?? "withheld", one = all === 1;
    const said = one
      ? `the one entry ${which} is ${right ? "right" : "wrong"}`
      : right === 0
      ? `${all === 2 ? "neither" : "not one"} of the ${all} entries ${which} is right`
      : right === all
      ? `${all === 2 ? "both" : `all ${all}`} entries ${which} are right`
      : `${right} of the ${all} entries ${which} ${right === 1 ? "is" : "are"} right`;
    const joined = mirror && kind === KIND.WITHHELD ? `${mirror}, and ${said}` : said;
    const state = right === all ? "free" : right ? "part" : "shut";
    return [state, `${joined.charAt(0).toUpperCase()}${joined.slice(1)}${done ? "" : " so far"}.`];
  }

  function show(view, done) {
    const results = words.results(view), [state, told] = judge(view, results, done);
    node.dataset.verdict = state;
    sentence.textContent = told;
    figures.replaceChildren(...results.map(({ right, all, name }) => {
      const number = el("span", { class: "x-number" }, view.frame ? `${right}` : "?");
      number.append(el("small", {}, ` / ${all}`));
      return el("div", { class: "x-figure" }, number, el("span", {}, `${name} right`));
    }));
  }

  return { node, show };
}
