// Search by name: what TARGETS lists comes first, whatever accents and Greek are typed.
// `fold` is what finding.fold does in Python.

function fold(text) {
  const plain = text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const spelled = plain.replace(/\p{Script=Greek}/gu, (letter) => ` ${GREEK[letter] ?? letter} `);
  return spelled.split(/[^\p{L}\p{N}_]+/u).filter(Boolean).map(british);
}

function british(word) {
  return SPELLINGS.reduce(
    (found, [pattern, middle]) => found.replace(new RegExp(pattern), `$1${middle}$2`),
    word,
  );
}

/** A text with the signs in it by their names. */
const said = (text) => Array.from(text, (c) => c in NAMES ? ` ${NAMES[c]} ` : c).join("");

// deno-lint-ignore no-unused-vars -- Sphinx's script calls it
function splitQuery(query) {
  return fold(said(query));
}

// Summaries are fetched, which a browser does not allow to a page opened from a folder.
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;

// Loaded after Sphinx's own script and before it begins.
const others = Search._performSearch;
Search._performSearch = (query, terms, ...rest) => {
  const asked = [said(query), query].map((text) => fold(text).join(" "));
  const named = TARGETS.filter(({ forms, kind }) =>
    asked.some((words) =>
      forms.includes(words) ||
      kind === "page" && words.includes(" ") && forms.some((form) => form.startsWith(`${words} `))
    )
  );
  const whole = new Map(); // pages as such: each stands once
  const first = [];
  for (const { page, title, anchor, kind } of named) {
    const at = Search._index.docnames.indexOf(page);
    const shown = anchor ? title : Search._index.titles[at];
    const where = anchor ? `${kind}, in ${Search._index.titles[at]}` : kind;
    if (!anchor && whole.has(page)) {
      whole.get(page)[3] += `; ${kind}`;
      continue;
    }
    const result = [
      page,
      shown,
      anchor && `#${anchor}`,
      where,
      1000,
      Search._index.filenames[at],
    ];
    if (!anchor) whole.set(page, result);
    first.push(result);
  }
  // Sphinx takes what every object has, as "constructor", for a word of its index; it leaves numbers
  // out; and where no word is left, it looks for a piece of a title.
  for (const word of terms) if (word in Object.prototype) terms.delete(word);
  for (const word of asked[0].split(" ")) {
    if (/^\d+$/.test(word) && Object.hasOwn(Search._index.terms, word)) terms.add(word);
  }
  const spelled = query.toLowerCase().replace(/\p{L}+/gu, british);
  const found = terms.size ? others(spelled, terms, ...rest) : [];
  const left = found.filter(([page, , anchor]) => anchor || !whole.has(page));
  return [...left, ...first.reverse()];
};

// Of results that are as good the first in the book come first.
Scorer.score = ([page, , , , score]) => score - Search._index.docnames.indexOf(page) / 1000;

Documentation.TRANSLATIONS[
  "Your search did not match any documents. Please make sure that all words are spelled correctly and that you've selected enough categories."
] = "Nothing was found that has all of these words. Words like “the” and “of” are not looked for.";

// What was found, or that nothing was, is read out.
const perform = Search.performSearch;
Search.performSearch = (query) => {
  perform(query);
  Search.status.setAttribute("role", "status");
};
