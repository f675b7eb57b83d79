"use strict";

/** What the cells and lines of the table mean. explorerLegend(dom) → node. */
function explorerLegend({ el }) {
  const CELLS = { train: "training", held: "not asked yet", right: "right", wrong: "wrong" };
  const SIGNS = { moved: "moved out", kept: "mirror", broken: "broken mirror" };
  const entry = (look, name) => el("li", {}, el("span", { ...look, "aria-hidden": "true" }), name);
  return el(
    "ul",
    { class: "x-legend x-table-legend" },
    Object.entries(CELLS).map(([state, name]) =>
      entry({ class: "x-cell x-swatch", "data-state": state }, name)
    ),
    Object.entries(SIGNS).map(([sign, name]) =>
      entry({ class: `x-swatch x-swatch-${sign}` }, name)
    ),
  );
}
