"use strict";

/**
 * Fields with a label and a place for what is wrong with them, and the numbers typed into them.
 *
 * explorerFields(dom) → {field, input, select, attempt, number, whole}. A field is
 * {node, control, wrong(message)}; wrong("") takes the message away.
 */
function explorerFields({ el }) {
  let count = 0;

  function field(words, control, look = "") {
    const id = `x-field-${count += 1}`;
    const error = el("p", { id: `${id}-error`, class: "x-error", role: "alert" });
    control.id = id;
    control.setAttribute("aria-describedby", error.id);
    const label = el("label", { for: id }, words);
    const node = el("div", { class: `x-field ${look}` }, label, control, error);

    function wrong(message) {
      error.textContent = message;
      if (message) control.setAttribute("aria-invalid", "true");
      else control.removeAttribute("aria-invalid");
    }

    control.addEventListener("input", () => wrong("")); // it was about what stood there before
    return { node, control, wrong };
  }

  const input = (value, more = {}) =>
    el("input", { type: "text", inputmode: "decimal", autocomplete: "off", value, ...more });
  const select = (choices) =>
    el("select", {}, choices.map(([value, words]) => el("option", { value }, words)));

  /** Do it, or say why not next to the field, or to that which the error names as `where`. */
  function attempt(field, act) {
    try {
      act();
      field.wrong("");
    } catch (error) {
      const { message, where = field } = error;
      const end = /[.!?]$/.test(message) ? "" : ".";
      const told = message.replace(/(?<![\w.])-(?=\d)/g, "−");
      where.wrong(`${told.charAt(0).toUpperCase()}${told.slice(1)}${end}`);
    }
  }

  function number(text, what) {
    if (/^\s*[-−]?[1-9]\d{0,2},\d{3}\s*$/.test(text)) {
      throw new Error(
        `${what} may be a thousand times larger or not: write “${text}” without comma`,
      );
    }
    const value = Number(text.replace(",", ".").replace("−", "-"));
    if (!text.trim() || !Number.isFinite(value)) {
      throw new Error(`${what} must be a number, not “${text.slice(0, 20)}”`);
    }
    return value;
  }

  /** The whole number in a field. */
  function whole(where, what, low, high) {
    const text = where.control.value, value = Number(text);
    if (!text.trim() || !Number.isInteger(value) || value < low || value > high) {
      const told = `${what} must be a whole number from ${low} to ${high}`;
      throw Object.assign(new Error(`${told}, not “${text.slice(0, 20)}”`), { where });
    }
    return value;
  }

  return { field, input, select, attempt, number, whole };
}
