"use strict";

/**
 * The scenes: links that the text of the page holds, each with its sentence, shown again above the
 * table as one row of names with the sentence of the one that is on. Their addresses have the
 * setting after a ?, since the theme takes what stands after a # for a place on the page.
 *
 * explorerScenes(dom, go(text)) → {node, first: {name, text}, mark(text), add(control)}: first is the
 * first scene, its text is its setting.
 */
function explorerScenes({ el }, go) {
  const found = [...document.querySelectorAll(".x-scene")].map((item) => {
    const link = item.querySelector("a"), told = item.querySelector("span").textContent;
    return { link, text: link.search.slice(1), name: link.textContent, told };
  });
  const links = found.map(({ text, name }) => el("a", { href: `?${text}` }, name));
  const told = el("p", { class: "x-scene-told" });
  let shown = null;
  const list = el("ul", { class: "x-scenes" }, links.map((link) => el("li", {}, link)));
  const node = el("nav", { "aria-label": "Scenes" }, list, told);

  /** A link leads to its scene without loading the page anew, unless it is to open elsewhere. */
  function leads(link, text) {
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      if (text !== shown) history.pushState(null, "", location.href); // one can go back
      go(text);
    });
  }
  found.forEach(({ link, text }, i) => {
    leads(links[i], text);
    leads(link, text);
    link.addEventListener("click", () => node.scrollIntoView());
  });

  function mark(text) {
    shown = text;
    const at = found.findIndex((scene) => scene.text === text);
    links.forEach((link, i) => {
      if (i === at) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    });
    told.textContent = at < 0
      ? "A setting of your own. The names above lead back to the scenes."
      : found[at].told;
  }

  /** One more thing to choose, after the scenes. */
  const add = (control) => list.append(el("li", {}, control));

  return { node, first: found[0], mark, add };
}
