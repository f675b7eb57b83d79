/** Settings as short texts, for the part of an address after its #. */
function rfmAddress(tasks, splits, settings) {
  "use strict";
  const { DEFAULTS, checked } = settings;
  const OPERATIONS = { "+": "plus", "−": "minus", "×": "times", "÷": "over" };
  const LETTERS = {
    withhold: "w",
    random: "r",
    move: "m",
    moveRandom: "mr",
    movePairs: "mp",
    giveBack: "g",
    giveBackRandom: "gr",
    take: "t",
  };
  const NUMBERS = { random: ["fraction", "seed"], movePairs: ["count", "mirror", "seed"] };
  NUMBERS.moveRandom = NUMBERS.giveBackRandom = ["count", "seed"];
  const LONGEST = 20000; // characters of an address

  /** A setting as a short text of letters that an address may have after its #. */
  function encode(given) {
    const { setting, task } = checked(given);
    const parts = [`op=${OPERATIONS[setting.operation]}`, `n=${setting.orders.join(".")}`];
    if (setting.kernel === "Quadratic") parts.push("kernel=quadratic");
    if (setting.bandwidth !== DEFAULTS.bandwidth) parts.push(`L=${setting.bandwidth}`);
    if (setting.ridge !== DEFAULTS.ridge) parts.push(`ridge=${setting.ridge}`);
    if (setting.power !== DEFAULTS.power) parts.push(`power=${setting.power}`);
    if (!setting.centred) parts.push("centred=0");
    const steps = setting.steps.map((step) => {
      const numbers = NUMBERS[step.do];
      const rest = numbers ? numbers.map((name) => step[name]) : [writePoints(task, step.points)];
      return [LETTERS[step.do], ...rest].join(":");
    });
    return [...parts, `steps=${steps.join(",")}`].join("&");
  }

  /** The setting that a text holds; an Error says what in it is no setting. */
  function decode(text) {
    if (typeof text !== "string" || text.length > LONGEST) throw new Error("this is no setting");
    const parts = new Map();
    for (const part of plain(text).replace(/^#/, "").split("&")) {
      const [, name, value] = /^([a-zA-Z]+)=(.*)$/.exec(part) ?? [];
      if (!["op", "n", "kernel", "L", "ridge", "power", "centred", "steps"].includes(name)) {
        throw new Error(`“${part.slice(0, 40)}” is no part of a setting`);
      }
      if (parts.has(name)) throw new Error(`the setting names ${name} twice`);
      parts.set(name, value);
    }
    const given = (name) => {
      if (!parts.has(name)) throw new Error(`the setting does not name ${name}`);
      return parts.get(name);
    };
    const optional = (name, otherwise, read) => parts.has(name) ? read(given(name)) : otherwise;
    const named = Object.entries(OPERATIONS).find(([, name]) => name === given("op"));
    if (!named) throw new Error(`op must be plus, minus, times or over, not ${given("op")}`);
    const kernels = { gaussian: "Gaussian", quadratic: "Quadratic" };
    const setting = {
      operation: named[0],
      orders: given("n").split(".").map(readNumber),
      kernel: optional("kernel", DEFAULTS.kernel, (name) => kernels[name] ?? name),
      bandwidth: optional("L", DEFAULTS.bandwidth, readNumber),
      ridge: optional("ridge", DEFAULTS.ridge, readNumber),
      power: optional("power", DEFAULTS.power, readNumber),
      centred: optional("centred", DEFAULTS.centred, (text) => readNumber(text) !== 0),
    };
    const task = tasks.makeTask(setting);
    setting.steps = given("steps").split(",").map((step) => readStep(task, step));
    return checked(setting).setting;
  }

  /** The text without the %2A and such that programs write when they pass an address on. */
  function plain(text) {
    try {
      return decodeURIComponent(text);
    } catch {
      throw new Error("this is no setting");
    }
  }

  function readStep(task, text) {
    const [letter, ...rest] = text.split(":");
    const [what] = Object.entries(LETTERS).find(([, letters]) => letters === letter) ?? [];
    const numbers = NUMBERS[what];
    if (!what || rest.length !== (numbers ?? [0]).length) {
      throw new Error(`“${text.slice(0, 40)}” is no step of a split`);
    }
    if (!numbers) return { do: what, points: readPoints(task, rest[0]) };
    const values = numbers.map((name, i) => [name, readNumber(rest[i])]);
    return { do: what, ...Object.fromEntries(values) };
  }

  /** Points as whole axes, *k.k…, as numbers in base 36, or as bits, ~…: whatever is shortest. */
  function writePoints(task, points) {
    const mirrors = [...new Set(points.map((i) => task.mirror[i]))].sort((k, l) => k - l);
    if (points.length === mirrors.length * task.n) return `*${mirrors.join(".")}`;
    const numbers = points.map((i) => i.toString(36)).join(".");
    const bytes = new Uint8Array(Math.ceil(task.n ** 2 / 8));
    for (const i of points) bytes[i >> 3] |= 1 << (i & 7);
    const bits = btoa(String.fromCharCode(...bytes)).replace(/=/g, "");
    const safe = `~${bits.replace(/\+/g, "-").replace(/\//g, "_")}`;
    return numbers.length <= safe.length ? numbers : safe;
  }

  function readPoints(task, text) {
    const number = (digits, base) => {
      const value = parseInt(digits, base);
      if (value.toString(base) !== digits) throw new Error(`“${digits}” is no number of a sample`);
      return value;
    };
    if (text.startsWith("*")) {
      return splits.axes(task, text.slice(1).split(".").map((k) => number(k, 10)));
    }
    if (!text.startsWith("~")) return text.split(".").map((i) => number(i, 36));
    if (!/^~[\w-]+$/.test(text) || text.length % 4 === 2) {
      throw new Error("these are no bits of samples");
    }
    const bits = atob(text.slice(1).replace(/-/g, "+").replace(/_/g, "/"));
    const points = [];
    for (let i = 0; i < 8 * bits.length; i++) {
      if ((bits.charCodeAt(i >> 3) >> (i & 7)) & 1) points.push(i);
    }
    return points;
  }

  function readNumber(text) {
    if (!/^-?[0-9.]+(e[+-]?[0-9]+)?$/.test(text) || !Number.isFinite(Number(text))) {
      throw new Error(`“${text.slice(0, 40)}” is no number`);
    }
    return Number(text);
  }

  return { encode, decode };
}
