"use strict";

/**
 * The setting in the address: the engine's text, and how many iterations. It stands after #; a link
 * in a page of the book has it after ?, see page-scenes.js.
 */
function explorerAddress(settings) {
  const USUAL = 30, MOST = 500;

  function encode({ iterations, ...setting }) {
    return settings.encode(setting) + (iterations === USUAL ? "" : `&iterations=${iterations}`);
  }

  /** An Error says what in a text is no setting. */
  function decode(text) {
    let words = text.replace(/^#/, "");
    try {
      words = decodeURIComponent(words);
    } catch {
      throw new Error("the address holds a broken % code");
    }
    const ITERATIONS = /&iterations=([^&]*)/; // wherever it stands
    const digits = ITERATIONS.exec(words)?.[1], rest = words.replace(ITERATIONS, "");
    const iterations = digits === undefined ? USUAL : Number(digits);
    if (!Number.isInteger(iterations) || iterations < 1 || iterations > MOST) {
      throw new Error(
        `iterations must be a whole number from 1 to ${MOST}, not “${digits.slice(0, 20)}”`,
      );
    }
    return { ...settings.decode(rest), iterations };
  }

  /** What the address says about a setting; a # may also name a place on the page. */
  function read() {
    const place = document.getElementById(location.hash.slice(1));
    const asked = /(^|&)op=/.test(location.search.slice(1)) ? location.search.slice(1) : "";
    return (place ? "" : location.hash.slice(1)) || asked; // others put words after a ? as well
  }

  /** Where the page is, with a setting. */
  const link = (setting) => `${location.href.split(/[?#]/)[0]}#${encode(setting)}`;

  /** Put it into the address bar, unless the browser is on its way to a place on the page. */
  function write(text) {
    const place = document.getElementById(location.hash.slice(1));
    if (place && document.readyState !== "complete") return;
    history.replaceState(null, "", `${location.pathname}#${text}`);
  }

  return { encode, decode, link, read, write };
}
