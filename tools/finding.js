// Search by name: what TARGETS lists comes first, whatever accents and Greek are typed.
// `fold` is what finding.fold does in Python.

function fold(text) {
  const plain = text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const spelled = plain.replace(/\p{Script=Greek}/gu, (letter) => ` ${GREEK[letter] ?? letter} `);
  return spelled.split(/[^\p{L}\p{N}_]+/u).filter(Boolean);
}

// deno-lint-ignore no-unused-vars -- Sphinx's script calls it
function splitQuery(query) {
  return fold(query);
}

// Summaries are fetched, which a browser does not allow to a page opened from a folder.
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;

// Loaded after Sphinx's own script and before it begins.
const others = Search._performSearch;
Search._performSearch = (query, ...rest) => {
  const asked = fold(query).join(" ");
  const named = TARGETS.filter(({ forms }) => forms.includes(asked));
  const whole = new Map(); // pages as such: each stands once
  const first = [];
  for (const { page, title, anchor, kind } of named) {
    const at = Search._index.docnames.indexOf(page);
    const where = anchor ? `${kind}, in ${Search._index.titles[at]}` : kind;
    if (!anchor && whole.has(page)) {
      whole.get(page)[3] += `; ${kind}`;
      continue;
    }
    const result = [
      page,
      title,
      anchor && `#${anchor}`,
      where,
      1000,
      Search._index.filenames[at],
    ];
    if (!anchor) whole.set(page, result);
    first.push(result);
  }
  const left = others(query, ...rest).filter(([page, , anchor]) => anchor || !whole.has(page));
  return [...left, ...first.reverse()];
};

// What was found, or that nothing was, is read out.
const perform = Search.performSearch;
Search.performSearch = (query) => {
  perform(query);
  Search.status.setAttribute("role", "status");
};
