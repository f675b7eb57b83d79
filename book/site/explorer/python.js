/** The lines of Python that make the same split and the same run with rfm. */
function rfmPython(settings) {
  "use strict";
  const { DEFAULTS, checked } = settings;

  /** The lines of Python that make this split, and the run of so many iterations. */
  function python(given, iterations = 60) {
    const { setting, task } = checked(given);
    const [first, ...rest] = setting.steps;
    const kernel = setting.kernel === "Gaussian"
      ? `rfm.Gaussian(bandwidth=${real(setting.bandwidth)})`
      : "rfm.Quadratic()";
    const options = ["split", kernel, `iterations=${iterations}`];
    if (setting.ridge !== DEFAULTS.ridge) options.push(`ridge=${real(setting.ridge)}`);
    if (setting.power !== DEFAULTS.power) options.push(`power=${real(setting.power)}`);
    if (!setting.centred) options.push("centred=False");
    const lines = [`task = ${task.python}`, `split = ${start(task, first)}`];
    for (const step of rest) lines.push(...change(task, step));
    lines.push(`run = rfm.fit(${options.join(", ")})`);
    const torch = lines.some((line) => line.includes("torch.")) ? ["import torch"] : [];
    return [...torch, "import rfm", "", ...lines, ""].join("\n");
  }

  function start(task, step) {
    if (step.do === "random") return `rfm.random_split(task, ${real(step.fraction)}, ${step.seed})`;
    return `rfm.withhold(task, ${pointsInPython(task, step.points)})`;
  }

  function change(task, step) {
    const { count, seed } = step, points = step.points && pointsInPython(task, step.points);
    switch (step.do) {
      case "move":
        return [`split = split.move(${points})`];
      case "giveBack":
        return [`split = split.give_back(${points})`];
      case "moveRandom":
        return [`split = split.move_random(${count}, seed=${seed})`];
      case "giveBackRandom":
        return [`split = split.give_back_random(${count}, seed=${seed})`];
      case "movePairs": {
        const mirror = `task.reflection(${task.values[step.mirror]})`;
        return [`split = split.move_mirror_pairs(${count}, ${mirror}, seed=${seed})`];
      }
      default:
        return [
          "kind = split.kind",
          `kind[[${step.points.join(", ")}]] = rfm.Kind.TRAIN`,
          `split = rfm.Split(task, kind, split.mirrors, (*split.history, "taken by hand"))`,
        ];
    }
  }

  function pointsInPython(task, points) {
    const mirrors = [...new Set(points.map((i) => task.mirror[i]))].sort((k, l) => k - l);
    if (points.length === mirrors.length * task.n) {
      const axis = mirrors.map((k) => `task.reflection(${task.values[k]}).fixed_points()`);
      return axis.length === 1 ? axis[0] : `torch.cat([${axis.join(", ")}])`;
    }
    if (points.length === 1) return `task.pair${task.pair(points[0])}`;
    return `task.samples[[${points.join(", ")}]]`;
  }

  /** A number as a float of Python. */
  const real = (x) => Number.isInteger(x) && Math.abs(x) < 1e21 ? `${x}.0` : `${x}`;

  return { python };
}
