"use strict";

/**
 * The fields of a setting. What is typed is tried at once; what cannot be is told next to its field
 * and changes nothing.
 *
 * explorerForm(dom, engine, {change(setting, told)}) → {node, show(setting, task, split)}.
 */
function explorerForm({ el, button }, engine, { change }) {
  const { splits, settings } = engine;
  let now = null, count = 0;

  /** A labelled field with a place for its error. */
  function field(words, control, more = {}) {
    const id = `x-field-${count += 1}`,
      error = el("p", { id: `${id}-error`, class: "x-error", role: "alert" });
    control.id = id;
    control.setAttribute("aria-describedby", error.id);
    const node = el(
      "div",
      { class: `x-field ${more.class ?? ""}` },
      el("label", { for: id }, words),
      control,
      error,
    );
    return { node, control, error, wrong: (message) => tell(control, error, message) };
  }

  function tell(control, error, message) {
    error.textContent = message;
    if (message) control.setAttribute("aria-invalid", "true");
    else control.removeAttribute("aria-invalid");
  }

  const input = (value, more = {}) =>
    el("input", { type: "text", inputmode: "decimal", autocomplete: "off", value, ...more });
  const select = (choices) =>
    el("select", {}, choices.map(([value, words]) => el("option", { value }, words)));

  const operation = field(
    "Operation",
    select([["+", "x + y"], ["−", "x − y"], ["×", "x × y"], ["÷", "x ÷ y"]]),
  );
  const orders = field(
    "Modulus, or moduli of a product",
    input("19", { inputmode: "text", placeholder: "19 or 3, 7" }),
  );
  const kernel = field("Kernel", select([["Gaussian", "Gaussian"], ["Quadratic", "quadratic"]]));
  const bandwidth = field("Bandwidth L", input("2.5"));
  const ridge = field("Ridge λ", input("0"));
  const power = field("Power s", input("0.5"));
  const centred = field("Gradients centred", el("input", { type: "checkbox" }), {
    class: "x-check",
  });
  const iterations = field("Iterations", input("30", { inputmode: "numeric" }));

  const axis = field("Axis to withhold", select([]));
  const share = field("Share in training, %", input("70"));
  const seed = field("Seed", input("0", { inputmode: "numeric" }));
  const points = field("Entries to hold out", input("(3, 8)", { inputmode: "text" }));
  const moved = field("Entries to move", input("1", { inputmode: "numeric" }));
  const mirror = field("Mirror of pairs", select([]));

  /** Do it, or say next to the field why not. */
  function attempt(where, make, told) {
    try {
      const next = make();
      where.wrong("");
      change(next, told);
    } catch (error) {
      where.wrong(sentence(error.message));
    }
  }

  const sentence = (words) =>
    `${words.charAt(0).toUpperCase()}${words.slice(1)}${/[.!?]$/.test(words) ? "" : "."}`;

  function number(text, what) {
    const value = Number(text.replace(",", ".").replace("−", "-"));
    if (!text.trim() || !Number.isFinite(value)) {
      throw new Error(`${what} must be a number, not “${text.slice(0, 20)}”`);
    }
    return value;
  }

  function whole(text, what, low, high) {
    const value = number(text, what);
    if (!Number.isInteger(value) || value < low || value > high) {
      throw new Error(`${what} must be a whole number from ${low} to ${high}, not ${value}`);
    }
    return value;
  }

  /** The table is another: its diagonal, or what is the axis of s there, is withheld. */
  function table() {
    attempt(orders, () => {
      const parts = orders.control.value.replace(/[()\[\]]/g, "").split(/[\s,;×x*]+/).filter(
        Boolean,
      );
      const setting = {
        ...now.setting,
        operation: operation.control.value,
        orders: parts.map((part) => number(part, "each modulus")),
      };
      const task = engine.makeTask(setting);
      setting.steps = splits.withholdMirrors(task, [task.identity]).history;
      return settings.checked(setting).setting;
    }, "Another table, the axis of s withheld.");
  }
  operation.control.addEventListener("change", table);
  orders.control.addEventListener("change", table);

  const plain = (name, where, read, told) =>
    where.control.addEventListener(
      "change",
      () =>
        attempt(
          where,
          () => ({
            ...now.setting,
            ...settings.checked({ ...now.setting, [name]: read(where.control) }).setting,
          }),
          told,
        ),
    );
  plain("kernel", kernel, ({ value }) => value, "Another kernel.");
  plain("bandwidth", bandwidth, ({ value }) => number(value, "bandwidth"), "Another bandwidth.");
  plain("ridge", ridge, ({ value }) => number(value, "ridge"), "Another ridge.");
  plain("power", power, ({ value }) => number(value, "power"), "Another power.");
  plain("centred", centred, ({ checked }) => checked, "Another centring.");
  iterations.control.addEventListener(
    "change",
    () =>
      attempt(
        iterations,
        () => ({
          ...now.setting,
          iterations: whole(iterations.control.value, "iterations", 1, 500),
        }),
        "Another number of iterations.",
      ),
  );

  /** A button that makes another split. */
  function act(words, where, make, told) {
    return button(
      words,
      () => attempt(where, () => ({ ...now.setting, steps: make().history }), told),
    );
  }

  const seedOf = () => whole(seed.control.value, "the seed", 0, 2 ** 32 - 1);
  const countOf = () => whole(moved.control.value, "the number of entries", 1, now.task.n ** 2);

  /** Pairs as a reader writes them: (3, 8) or 3, 8; 12, 4; of a product ((1, 2), (0, 3)). */
  function pairs() {
    const { task } = now, text = points.control.value, per = task.group.moduli.length;
    const numbers = (text.match(/\d+/g) ?? []).map(Number);
    if (!numbers.length || numbers.length % (2 * per) || /[^\d\s,;()]/.test(text)) {
      throw new Error(
        `write an entry as ${
          task.pair(Math.min(task.n + 3, task.n ** 2 - 1))
        }, several one after the other`,
      );
    }
    const found = [];
    for (let at = 0; at < numbers.length; at += per) {
      const part = numbers.slice(at, at + per),
        value = per === 1 ? `${part[0]}` : `(${part.join(", ")})`;
      const place = task.values.indexOf(value);
      if (place < 0) {
        throw new Error(
          `${value} is no element of this table: they are ${task.values[0]}, ${
            task.values[1]
          }, …, ${task.values.at(-1)}`,
        );
      }
      found.push(place);
    }
    return found.flatMap((a, at) => at % 2 ? [] : [a * task.n + found[at + 1]]);
  }

  const group = (words, ...parts) => el("fieldset", {}, el("legend", {}, words), parts);
  const line = (...parts) => el("div", { class: "x-line-of-fields" }, parts);
  const node = el(
    "form",
    { class: "x-form", submit: (event) => event.preventDefault() },
    group("Table", line(operation.node, orders.node)),
    group(
      "Machine",
      line(kernel.node, bandwidth.node, ridge.node, power.node, iterations.node, centred.node),
    ),
    group(
      "Split",
      el(
        "div",
        { class: "x-lines-of-fields" },
        line(
          axis.node,
          act(
            "Withhold the axis",
            axis,
            () => splits.withholdMirrors(now.task, [Number(axis.control.value)]),
            "The axis is withheld.",
          ),
        ),
        line(
          points.node,
          act("Hold these out", points, () => splits.withhold(now.task, pairs()), "Held out."),
        ),
        line(
          share.node,
          act(
            "Draw a share",
            share,
            () => splits.random(now.task, number(share.control.value, "the share") / 100, seedOf()),
            "Drawn at random.",
          ),
        ),
        line(
          moved.node,
          act(
            "Move at random",
            moved,
            () => splits.moveRandom(now.split, countOf(), seedOf()),
            "Moved out at random.",
          ),
        ),
        line(
          mirror.node,
          act(
            "Move a mirror pair",
            mirror,
            () => splits.moveMirrorPairs(now.split, 1, Number(mirror.control.value), seedOf()),
            "A mirror pair is moved out.",
          ),
        ),
        line(
          seed.node,
          act(
            "Give one back",
            seed,
            () => splits.giveBackRandom(now.split, 1, seedOf()),
            "One is given back.",
          ),
        ),
      ),
    ),
  );

  function options(control, task, chosen) {
    control.replaceChildren(
      ...task.symmetries.slice(task.n).map(({ k, name }) => el("option", { value: k }, name)),
    );
    control.value = `${chosen}`;
  }

  /** Show a setting in the fields; a field that is being typed in keeps its words. */
  function show(setting, task, split) {
    if (now?.task.name !== task.name) {
      for (const { control } of [axis, mirror]) {
        options(control, task, split.mirrors[0] ?? task.identity);
      }
    }
    now = { setting, task, split };
    operation.control.value = setting.operation;
    orders.control.value = setting.orders.join(", ");
    kernel.control.value = setting.kernel;
    bandwidth.control.value = `${setting.bandwidth}`;
    ridge.control.value = `${setting.ridge}`;
    power.control.value = `${setting.power}`;
    centred.control.checked = setting.centred;
    iterations.control.value = `${setting.iterations}`;
    bandwidth.node.hidden = setting.kernel !== "Gaussian";
    for (
      const one of [
        operation,
        orders,
        kernel,
        bandwidth,
        ridge,
        power,
        centred,
        iterations,
        axis,
        share,
        seed,
        points,
        moved,
        mirror,
      ]
    ) one.wrong("");
  }

  return { node, show };
}
