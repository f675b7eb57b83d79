// Formulas for tools/formulas.py: each line of the input is {"tex", "display"}, each line of the
// output {"html"} or {"error"}. A first line of the output is {"css"}, the whole style sheet.

const readline = require("node:readline");
const mathjax = require("./mathjax/node-main.js");

const settings = {
  loader: { load: ["input/tex-full", "output/chtml", "a11y/assistive-mml"] },
  tex: {
    // Without the first two an error is not drawn in red but thrown; without the third no formula
    // changes another.
    packages: { "[-]": ["noerrors", "noundefined", "newcommand"] },
    formatError: (_, error) => {
      throw error;
    },
  },
  chtml: { adaptiveCSS: false, fontURL: "." },
};

// What only MathJax in a browser would need.
const IDLE =
  / (?:data-mjx-[a-z-]+|xmlns|unselectable)="[^"]*"| style="position: relative;"/g;

// A width in em that may not fit on a phone: such a formula can be scrolled there.
const PHONE = 13;

function say(what) {
  process.stdout.write(JSON.stringify(what) + "\n");
}

// The size of a line's formula, so that a browser need not look inside before it is near; of one
// that stands alone its width, by which print makes it small enough.
function box(document, display) {
  const jax = document.outputJax;
  const { w, h, d } = jax.getBBox(jax.math, document);
  if (display) return ` style="--em:${Math.ceil(w)}"`;
  const em = (x) => `${+x.toFixed(3)}em`;
  const size = `width:${em(w)};height:${em(h + d)};vertical-align:${em(-d)}`;
  return (w > PHONE ? " wide" : "") + ` style="${size}"`;
}

function typeset(MathJax, { tex, display }) {
  try {
    const formula = MathJax.tex2chtml(tex, { display });
    const { adaptor, document } = MathJax.startup;
    const html = adaptor.outerHTML(formula).replace(IDLE, "");
    return { html: html.replace("<mjx-container", "$&" + box(document, display)) };
  } catch (error) {
    return { error: error.message };
  }
}

mathjax.init(settings).then((MathJax) => {
  say({ css: MathJax.startup.adaptor.textContent(MathJax.chtmlStylesheet()) });
  readline.createInterface({ input: process.stdin }).on(
    "line",
    (line) => say(typeset(MathJax, JSON.parse(line))),
  );
}).catch((error) => {
  console.error(error);
  process.exit(1);
});
