"use strict";

/**
 * A run as Python: a panel that a button opens, with a button to copy what is in it.
 *
 * explorerCode(dom, said) → {node, button(make), copy(words, make), refresh()}.
 */
function explorerCode({ el, button }, said) {
  const lines = el("code"), told = { role: "region", "aria-label": "The run as Python" };
  const text = el("div", { class: "x-pre", tabindex: 0, ...told }, lines); // the theme takes every
  // <pre> for its own and leaves those out of the tab order that it does not see scroll
  let make = () => "", toggle = null;
  const node = el(
    "div",
    { class: "x-code", id: "x-code", hidden: true },
    el("p", { class: "x-note" }, "The same split and the same run with the package:"),
    text,
    copy("Copy these lines", () => lines.textContent),
  );

  /** A button that puts a text on the clipboard. */
  function copy(words, what) {
    const own = button(words, async () => {
      const text = what();
      const copied = await navigator.clipboard?.writeText(text).then(() => true, () => false) ||
        select(text);
      said(copied ? "Copied." : "Nothing could be copied.");
      own.textContent = copied ? "Copied" : "Not copied";
      setTimeout(() => own.textContent = words, 1200);
    });
    return own;
  }

  /** Where there is no clipboard to write to, as in some browsers from a file. */
  function select(what) {
    const field = el("textarea", { class: "x-live" }, what), focused = document.activeElement;
    document.body.append(field);
    field.select();
    const copied = document.execCommand("copy");
    field.remove();
    focused?.focus();
    return copied;
  }

  function opener(of) {
    make = of;
    toggle = button("As Python", () => {
      node.hidden = !node.hidden;
      toggle.setAttribute("aria-expanded", `${!node.hidden}`);
      refresh();
    }, { "aria-expanded": "false", "aria-controls": node.id });
    return toggle;
  }

  function refresh() {
    if (!node.hidden) lines.textContent = make();
  }

  return { node, button: opener, copy, refresh };
}
