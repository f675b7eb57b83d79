// What a reader copies contains the source of its formulas: $x^2$.
document.addEventListener("copy", (event) => {
  const selection = getSelection();
  if (!selection.rangeCount || !event.clipboardData) return;
  const range = selection.getRangeAt(0);
  const within = (node) =>
    (node.closest ? node : node.parentElement)?.closest("mjx-container");
  const [first, last] = [
    within(range.startContainer),
    within(range.endContainer),
  ];
  if (first) range.setStartBefore(first); // half a formula is the whole one
  if (last) range.setEndAfter(last);
  const copied = document.createElement("div");
  copied.append(range.cloneContents());
  const formulas = copied.querySelectorAll("mjx-container[data-tex]");
  if (!formulas.length) return;
  for (const formula of formulas) {
    const mark = formula.getAttribute("display") ? "$$" : "$";
    formula.replaceWith(mark + formula.dataset.tex + mark);
  }
  copied.style.cssText = "position: fixed; left: 200vw; white-space: pre-wrap";
  document.body.append(copied); // innerText knows lines only of what is laid out
  event.clipboardData.setData("text/plain", copied.innerText);
  copied.remove();
  event.preventDefault();
});
