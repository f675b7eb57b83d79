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
  const named = TARGETS.filter(({ forms }) => forms.includes(asked)).reverse();
  const first = named.map(({ page, title, anchor, kind }) => {
    const at = Search._index.docnames.indexOf(page);
    const where = `${kind}, in ${Search._index.titles[at]}`;
    return [page, title, `#${anchor}`, where, 1000, Search._index.filenames[at]];
  });
  return [...others(query, ...rest), ...first];
};

// What was found, or that nothing was, is read out.
const perform = Search.performSearch;
Search.performSearch = (query) => {
  perform(query);
  Search.status.setAttribute("role", "status");
};
