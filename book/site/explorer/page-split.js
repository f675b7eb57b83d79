"use strict";

/**
 * The part of the form that makes other splits: by axis, by hand, at random; moves, and back.
 *
 * explorerSplitForm(dom, fields, engine, change(setting, told)) → {node, show(setting, task, split)}.
 */
function explorerSplitForm({ el, button, able }, fields, { splits }, change) {
  const { field, input, select, attempt, number, whole } = fields;
  const LARGEST_SEED = 2 ** 32 - 1;
  const words = { inputmode: "text" }, digits = { inputmode: "numeric" };
  const axis = field("Axis to withhold", select([]));
  const points = field("Entries to hold out", input("(3, 8)", words));
  const share = field("Share in training, %", input("70"));
  const moved = field("Entries to move", input("1", digits));
  const mirror = field("Mirror of the pair", select([]));
  const seed = field("Seed of all draws", input("0", digits));
  const buttons = {};
  let now = null;

  const seedOf = () => whole(seed, "the seed", 0, LARGEST_SEED);
  const k = ({ control }) => Number(control.value);
  const inTraining = () => splits.of(now.split, "train");
  const makes = {
    axis: () => splits.withholdMirrors(now.task, [k(axis)]),
    more: () => splits.withholdMirrors(now.task, [...now.split.mirrors, k(axis)]),
    points: () => splits.withhold(now.task, pairs(now.task, points.control.value)),
    share: () => {
      const seed = seedOf(), most = now.task.n ** 2;
      const per = number(share.control.value.replace("%", ""), "the share");
      const fraction = Number((per / 100).toPrecision(12));
      const train = splits.roundHalfEven(fraction * most);
      if (!(train > 0 && train < most)) {
        throw new Error(
          `the share must be a number between 0 and 100 that leaves some of ${most} entries on ` +
            `either side, not “${share.control.value}”`,
        );
      }
      return splits.random(now.task, fraction, seed);
    },
    moved: () => {
      const count = whole(moved, "the number of entries", 1, inTraining().length - 1);
      return splits.moveRandom(now.split, count, seedOf());
    },
    mirror: () => {
      const g = now.task.n + k(mirror), train = new Set(inTraining());
      const image = (i) => now.task.act(g, i);
      if (![...train].some((i) => image(i) !== i && train.has(image(i)))) {
        const { name } = now.task.symmetries[g];
        throw new Error(`no two entries in training are mirror images under ${name}`);
      }
      return splits.moveMirrorPairs(now.split, 1, k(mirror), seedOf());
    },
    back: () => splits.giveBackRandom(now.split, 1, seedOf()),
  };

  /** A field with the buttons that make another split of it: name, what is made, what is told. */
  function line(where, ...acts) {
    const does = acts.map(([name, make, told]) => {
      const act = () => change({ ...now.setting, steps: make().history }, told);
      return buttons[name] = button(name, () => {
        clear(); // what was wrong elsewhere is not asked now
        attempt(where, act);
      });
    });
    return el("div", { class: "x-line-of-fields" }, where.node, ...does);
  }

  const node = el(
    "div",
    { class: "x-lines-of-fields" },
    line(
      axis,
      ["Withhold", makes.axis, "The axis is withheld."],
      ["Add it", makes.more, "The axis is withheld too."],
    ),
    line(points, ["Hold these out", makes.points, "Held out."]),
    line(share, ["Draw a share", makes.share, "Drawn at random."]),
    line(moved, ["Move at random", makes.moved, "Moved out at random."]),
    line(mirror, ["Move a mirror pair", makes.mirror, "A mirror pair is moved out."]),
    line(seed, ["Give one back", makes.back, "One is given back."]),
  );

  /** Pairs as a reader writes them: (3, 8) or 3, 8; 12, 4; of a product ((1, 2), (0, 3)). */
  function pairs(task, text) {
    const { n, values, pair } = task, per = task.group.moduli.length;
    const numbers = (text.match(/\d+/g) ?? []).map(Number);
    if (!numbers.length || numbers.length % (2 * per) || /[^\d\s,;()[\]]/.test(text)) {
      const what = `write an entry as ${pair(n + 1)}, several one after the other`;
      throw new Error(`${what}, not “${text.slice(0, 40)}”`);
    }
    const found = [];
    for (let at = 0; at < numbers.length; at += per) {
      const part = numbers.slice(at, at + per);
      const value = per === 1 ? `${part[0]}` : `(${part.join(", ")})`;
      const place = values.indexOf(value);
      if (place < 0) {
        const all = `${values[0]}, ${values[1]}, …, ${values.at(-1)}`;
        throw new Error(`${value} is no element of this table; its elements are ${all}`);
      }
      found.push(place);
    }
    return found.flatMap((a, at) => at % 2 ? [] : [a * n + found[at + 1]]);
  }

  function options(control, task, chosen) {
    const mirrors = task.symmetries.slice(task.n);
    control.replaceChildren(...mirrors.map(({ k, name }) => el("option", { value: k }, name)));
    control.value = `${chosen}`;
  }

  function clear() {
    for (const { wrong } of [axis, points, share, moved, mirror, seed]) wrong("");
  }

  function show(setting, task, split) {
    if (now?.task.name !== task.name) {
      const chosen = split.mirrors[0] ?? task.identity;
      for (const { control } of [axis, mirror]) options(control, task, chosen);
    }
    now = { setting, task, split };
    const test = splits.of(split, "test"), withheld = splits.KIND.WITHHELD;
    able(buttons["Move at random"], inTraining().length > 1);
    able(
      buttons["Give one back"],
      test.length > 1 && test.some((i) => split.kind[i] === withheld),
    );
    clear();
  }

  return { node, show };
}
