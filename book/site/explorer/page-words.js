"use strict";

/** What the page says in words: about a cell, about a split, about what keeps it, about a result. */
function explorerWords(KIND) {
  const WHY = {
    [KIND.RANDOM]: "left out at random",
    [KIND.WITHHELD]: "withheld",
    [KIND.MOVED]: "moved out",
  };

  /** "3 + 5 = 8". */
  function equation(task, i) {
    const { n, values, operation, label } = task;
    return `${values[Math.floor(i / n)]} ${operation} ${values[i % n]} = ${values[label[i]]}`;
  }

  /** "in training", "withheld, not asked yet", "moved out, predicted 4, wrong". */
  function state({ task, split, frame }, i) {
    if (split.kind[i] === KIND.TRAIN) return "in training";
    const why = WHY[split.kind[i]];
    if (!frame) return `${why}, not asked yet`;
    return `${why}, ${answer(task, frame, i)}, ${frame.right[i] ? "right" : "wrong"}`;
  }

  /** The classes that lead at a sample, ties included, and the place of the right one. */
  function ranked({ n, label }, { scores, predicted, tie }, i) {
    const own = scores.subarray(i * n, (i + 1) * n), best = own[predicted[i]];
    const leaders = [...own.keys()].filter((c) => own[c] >= best - tie);
    const ahead = own.filter((score) => score > own[label[i]] + tie).length;
    return { own, leaders, place: ahead + 1 };
  }

  /** The class with the highest score, unless another is as high but for rounding. */
  function answer(task, frame, i) {
    const { leaders } = ranked(task, frame, i);
    return leaders.length > 1
      ? `a tie of ${leaders.length} classes`
      : `predicted ${task.values[leaders[0]]}`;
  }

  const cell = (view, i) => `${equation(view.task, i)}, ${state(view, i)}`;

  /** "342 in training, 19 withheld and 1 moved out". */
  function split({ kind }) {
    const count = (wanted) => kind.reduce((sum, is) => sum + (is === wanted), 0);
    const parts = [`${count(KIND.TRAIN)} in training`];
    for (const [one, why] of Object.entries(WHY)) {
      if (count(Number(one))) parts.push(`${count(Number(one))} ${why}`);
    }
    return list(parts);
  }

  /** What a symmetry does to a sample, as "(a, b) ↦ (b − 3, a + 3)". */
  function map(task, g) {
    const { k, reflects } = task.symmetries[g], at = task.values[k], still = k === task.identity;
    const [combine, undo] = task.multiplicative ? ["·", "÷"] : ["+", "−"];
    const more = (x) => still ? x : `${x} ${combine} ${at}`;
    const less = (x) => still ? x : `${x} ${undo} ${at}`;
    const direct = task.operation === "+" || task.operation === "×";
    if (direct) {
      return `(a, b) ↦ (${reflects ? `${less("b")}, ${more("a")}` : `${more("a")}, ${less("b")}`})`;
    }
    if (!reflects) return `(a, b) ↦ (${more("a")}, ${more("b")})`;
    const negated = (x) => {
      if (task.multiplicative) return still ? `1/${x}` : `1/(${x}·${at})`;
      return still ? `−${x}` : `−${x} − ${at}`;
    };
    return `(a, b) ↦ (${negated("b")}, ${negated("a")})`;
  }

  /** "⟨s, r^6⟩", and what kind of group that is; C₂ with its index low. */
  const generated = (H) => `⟨${H.generators.map((g) => H.task.symmetries[g].name).join(", ")}⟩`;
  const named = (H) => H.name.replace(/_(\d+)/g, (_, digits) => digits.replace(/\d/g, low));
  const low = (digit) => String.fromCharCode(0x2080 + Number(digit));

  /** One sentence about the symmetries that keep the training set. */
  function kept(H) {
    if (H.order === 1) return "No rotation and no reflection maps the training set to itself.";
    const maps = H.generators.map((g) => `${H.task.symmetries[g].name}: ${map(H.task, g)}`);
    if (H.order === 2) return `${maps[0]} maps the training set to itself.`;
    return `${H.order} symmetries map the training set to itself; ${list(maps)} generate them.`;
  }

  /** The results of a frame, one for each kind of test point there is. */
  function results({ split, frame }) {
    return [KIND.WITHHELD, KIND.MOVED, KIND.RANDOM].flatMap((kind) => {
      let right = 0, all = 0;
      split.kind.forEach((is, i) => {
        all += is === kind;
        right += is === kind && Boolean(frame?.right[i]);
      });
      const entries = all === 1 ? "entry" : "entries";
      const name = {
        [KIND.WITHHELD]: `withheld ${entries}`,
        [KIND.MOVED]: `moved ${entries}`,
        [KIND.RANDOM]: `${entries} left out`,
      }[kind];
      return all ? [{ kind, right, all, name }] : [];
    });
  }

  /** "Iteration 12: 14 of 19 withheld entries right and 1 of 1 moved entry right." */
  function result(view) {
    const told = results(view).map(({ right, all, name }) => `${right} of ${all} ${name} right`);
    return `Iteration ${view.frame.iteration}: ${list(told)}.`;
  }

  function list(parts) {
    if (parts.length < 2) return parts.join("");
    return `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;
  }

  return {
    equation,
    ranked,
    state,
    cell,
    split,
    map,
    generated,
    named,
    kept,
    results,
    result,
    list,
    WHY,
  };
}
