// What a page does beyond the theme: boxes that scroll take the focus, and paper is white.

// A box that scrolls sideways or down can be scrolled with the arrow keys, while it does scroll.
const BOXES = [
  ".pst-scrollable-table-container",
  ".cell_output .text_html",
  ".cell_output",
  "div.math",
  "mjx-container[display=true]",
  "dt.sig",
  "pre",
].map((box) => `.bd-article ${box}`).join();

function reach(box) {
  const scrolls = box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight + 1;
  const may = /auto|scroll/.test(getComputedStyle(box).overflowX + getComputedStyle(box).overflowY);
  if (scrolls && may) {
    box.tabIndex = 0;
    if (!box.hasAttribute("role")) {
      box.setAttribute("role", "group");
      box.setAttribute("aria-label", "scrolls");
    }
  } else if (box.getAttribute("aria-label") === "scrolls") {
    for (const name of ["tabindex", "role", "aria-label"]) box.removeAttribute(name);
  }
}

function watch() {
  const seen = new ResizeObserver((changes) => changes.forEach(({ target }) => reach(target)));
  for (const box of document.querySelectorAll(BOXES)) seen.observe(box);
}

// Printed in the colours for the light, with everything open; on the screen all is as it was.
let before = null;

function paper(begins) {
  const page = document.documentElement;
  if (begins && before === null) {
    const shut = [...document.querySelectorAll(".bd-article details:not([open])")];
    before = { theme: page.dataset.theme, shut };
    page.dataset.theme = "light";
    for (const box of shut) box.open = true;
  } else if (!begins && before !== null) {
    page.dataset.theme = before.theme;
    for (const box of before.shut) box.open = false;
    before = null;
  }
}

addEventListener("beforeprint", () => paper(true));
addEventListener("afterprint", () => paper(false));
matchMedia("print").addEventListener("change", ({ matches }) => paper(matches));
document.addEventListener("DOMContentLoaded", watch);
