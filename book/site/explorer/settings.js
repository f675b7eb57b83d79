/**
 * Settings of a run, and the task and the split that they make.
 *
 * A setting is a plain object: {operation, orders, kernel, bandwidth, ridge, power, centred, steps}
 * with kernel "Gaussian" or "Quadratic" and steps the history of a split. All but operation, orders
 * and steps may be left out; DEFAULTS then count. M₀ is the identity.
 */
function rfmSettings(tasks, splits) {
  "use strict";
  const DEFAULTS = { kernel: "Gaussian", bandwidth: 2.5, ridge: 0, power: 0.5, centred: true };

  /** The setting with nothing left out, its task and its split; an Error says what is wrong. */
  function checked(given) {
    const setting = { ...DEFAULTS, ...given };
    const within = (name, low, high, allowed) => {
      const value = setting[name];
      if (!(typeof value === "number" && value >= low && value <= high)) {
        throw new Error(`${name} must be ${allowed}, not ${value}`);
      }
    };
    if (setting.kernel !== "Gaussian" && setting.kernel !== "Quadratic") {
      throw new Error(`the kernel must be Gaussian or Quadratic, not ${setting.kernel}`);
    }
    within("bandwidth", 1e-150, 1e150, "positive, a number from 1e-150 to 1e+150");
    within("ridge", 0, Number.MAX_VALUE, "a finite number of at least 0");
    within("power", Number.MIN_VALUE, Number.MAX_VALUE, "a positive finite number");
    if (typeof setting.centred !== "boolean") throw new Error("centred must be true or false");
    if (!Array.isArray(setting.steps)) throw new Error("a setting needs the steps of a split");
    const task = tasks.makeTask(setting), split = splits.replay(task, setting.steps);
    setting.steps = split.history.filter(({ points }) => !points || points.length);
    setting.operation = task.operation;
    return { setting, task, split };
  }

  return { DEFAULTS, checked };
}
