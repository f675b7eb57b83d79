"use strict";

/**
 * The fields of a setting: the table, the machine, and the split with page-split.js. What is typed
 * is tried at once; what cannot be is told next to its field and changes nothing.
 *
 * explorerForm(dom, fields, engine, splitForm, change(setting, told)) →
 *   {node, show(setting, task, split)}.
 */
function explorerForm({ el }, fields, engine, splitForm, change) {
  const { field, input, select, attempt, number, whole } = fields, { splits, settings } = engine;
  const OPERATIONS = [["+", "x + y"], ["−", "x − y"], ["×", "x × y"], ["÷", "x ÷ y"]];
  const MOST = 500; // iterations
  const words = { inputmode: "text" }, digits = { inputmode: "numeric" };
  const operation = field("Operation", select(OPERATIONS));
  const orders = field("Modulus, such as 19 or 3, 7", input("", words));
  const kernel = field("Kernel", select([["Gaussian", "Gaussian"], ["Quadratic", "quadratic"]]));
  const bandwidth = field("Bandwidth L", input(""));
  const ridge = field("Ridge λ", input("")), power = field("Power s", input(""));
  const centred = field("Gradients centred", el("input", { type: "checkbox" }), "x-check");
  const iterations = field("Iterations", input("", digits));
  let now = null;

  /** Another table: its diagonal, or what is the axis of s there, is withheld. */
  function table() {
    const parts = orders.control.value.replace(/[()\[\]]/g, "").split(/[\s,;×x*]+/);
    const setting = {
      ...now.setting,
      operation: operation.control.value,
      orders: parts.filter(Boolean).map((part) => number(part, "a modulus")),
    };
    const task = engine.makeTask(setting);
    setting.steps = splits.withholdMirrors(task, [task.identity]).history;
    change(setting, "Another table, the axis of s withheld.");
  }

  /** Another value of one part of the setting. */
  function part(name, value, told) {
    const { setting } = settings.checked({ ...now.setting, [name]: value });
    change({ ...now.setting, ...setting, [name]: value }, told);
  }

  const on = (where, act) =>
    where.control.addEventListener("change", () => attempt(where, () => act(where.control)));
  operation.control.addEventListener("change", () => attempt(orders, table));
  on(orders, table);
  on(kernel, ({ value }) => part("kernel", value, "Another kernel."));
  for (const [name, where] of Object.entries({ bandwidth, ridge, power })) {
    on(where, ({ value }) => part(name, number(value, name), `Another ${name}.`));
  }
  on(centred, ({ checked }) => part("centred", checked, "Another centring."));
  on(iterations, () => {
    const value = whole(iterations, "iterations", 1, MOST);
    change({ ...now.setting, iterations: value }, "Another number of iterations.");
  });

  const group = (name, ...parts) => el("fieldset", {}, el("legend", {}, name), parts);
  const line = (...parts) =>
    el("div", { class: "x-line-of-fields" }, parts.map(({ node }) => node));
  const node = el(
    "form",
    { class: "x-form", submit: (event) => event.preventDefault() },
    group("Table", line(operation, orders)),
    group("Machine", line(kernel, bandwidth, ridge, power, iterations, centred)),
    group("Split", splitForm.node),
  );

  function show(setting, task, split) {
    now = { setting, task, split };
    operation.control.value = setting.operation;
    orders.control.value = setting.orders.join(", ");
    for (const [name, where] of Object.entries({ kernel, bandwidth, ridge, power, iterations })) {
      where.control.value = `${setting[name]}`;
    }
    centred.control.checked = setting.centred;
    bandwidth.node.hidden = setting.kernel !== "Gaussian";
    const all = [operation, orders, kernel, bandwidth, ridge, power, centred, iterations];
    for (const { wrong } of all) wrong("");
    splitForm.show(setting, task, split);
  }

  return { node, show };
}
