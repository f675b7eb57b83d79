"use strict";

/** Elements of a page in one line each: el("p", {class: "note"}, "text", child, …), svg(…) alike. */
function explorerDom() {
  const SVG = "http://www.w3.org/2000/svg";

  /** Attributes: a function is a listener, null or false leaves out, true is an empty one. */
  function fill(node, attributes, children) {
    for (const [name, value] of Object.entries(attributes)) {
      if (typeof value === "function") node.addEventListener(name, value);
      else if (value === true) node.setAttribute(name, "");
      else if (value !== null && value !== false) node.setAttribute(name, value);
    }
    node.append(...children.flat(Infinity).filter((child) => child !== null));
    return node;
  }

  const el = (tag, attributes = {}, ...children) =>
    fill(document.createElement(tag), attributes, children);
  const svg = (tag, attributes = {}, ...children) =>
    fill(document.createElementNS(SVG, tag), attributes, children);

  /** A button with its words; `more` are further attributes. */
  const button = (words, click, more = {}) => {
    const act = () => node.getAttribute("aria-disabled") === "true" || click();
    const node = el("button", { type: "button", click: act, ...more }, words);
    return node;
  };

  /** Whether a button can be pressed. One that cannot still keeps the focus that it has. */
  function able(node, whether) {
    if (whether) node.removeAttribute("aria-disabled");
    else node.setAttribute("aria-disabled", "true");
  }

  return { el, svg, button, able };
}
