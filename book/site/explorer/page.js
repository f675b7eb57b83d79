"use strict";

/** The page of the explorer: puts its parts together, and carries what happens from one to another. */
function explorerPage(root) {
  const engine = rfmEngine(), dom = explorerDom(), { el, button, able } = dom;
  const { KIND } = engine.splits;
  const words = explorerWords(KIND), changes = explorerChanges(), results = explorerResults(engine);
  const address = explorerAddress(engine.settings);
  const scenes = explorerScenes(dom, go);
  const run = explorerRun(engine.startWorker, {
    frame: arrived,
    state: controls,
    failed,
  });
  const fields = explorerFields(dom), splitForm = explorerSplitForm(dom, fields, engine, change);
  const form = explorerForm(dom, fields, engine, splitForm, change);
  const controlsOf = explorerControls(dom, { play, pause, step, reset, seek });
  const table = explorerTable(dom, words, { toggle, look }), legend = explorerLegend(dom);
  const sample = explorerSample(dom, words, explorerScores(dom, words));
  const board = explorerBoard(dom, engine, words, results);
  const verdict = explorerVerdict(dom, words, KIND), sights = explorerSights(engine);
  const picture = explorerPicture(dom, explorerSheet(dom));
  let split = null, task = null, H = null, at = 0, looking = null, following = true;

  // ---------------------------------------------------------------------------------- the parts

  const kept = explorerKept(dom, words);
  const error = el("p", { class: "x-error", role: "alert" });
  const live = el("p", { role: "status", class: "x-live" });
  const undo = button("Undo", () => travel("undo")), redo = button("Redo", () => travel("redo"));
  const again = el("input", { type: "checkbox", id: "x-again", checked: true });
  const code = explorerCode(dom, (said) => live.textContent = said);
  const tools = el(
    "div",
    { class: "x-tools" },
    undo,
    redo,
    el("label", { for: "x-again", class: "x-again" }, again, "run again after a change"),
  );
  const exports = el(
    "div",
    { class: "x-tools x-exports" },
    code.button(() => engine.settings.python(changes.now, changes.now.iterations)),
    button("As a picture", save),
    code.copy("Copy link", () => address.link(changes.now)),
  );
  const own = button("Your own …", () => {
    panel.hidden = !panel.hidden;
    own.setAttribute("aria-expanded", `${!panel.hidden}`);
  }, { "aria-expanded": "false", "aria-controls": "x-panel", class: "x-own" });
  const panel = el("div", { class: "x-panel", id: "x-panel", hidden: true }, form.node);
  scenes.add(own);
  root.replaceChildren(
    scenes.node,
    panel,
    controlsOf.node,
    error,
    el(
      "div",
      { class: "x-columns" },
      kept.node,
      verdict.node,
      el("div", {}, table.node, legend, tools, sample.node),
      board.node,
    ),
    exports,
    code.node,
    live,
  );

  // ------------------------------------------------------------------------------- what happens

  /** Take a setting as it is now in `changes`: show it, and start over. */
  function take(playing) {
    const now = changes.now;
    ({ task, split } = engine.settings.checked(now));
    H = engine.symmetry.stabiliser(split);
    looking = null;
    at = 0;
    following = true;
    error.textContent = "";
    const text = address.encode(now);
    address.write(text);
    form.show(now, task, split);
    scenes.mark(text);
    code.refresh();
    able(undo, changes.undoable);
    able(redo, changes.redoable);
    kept.show({ task, split, H });
    run.begin(now, now.iterations);
    controls();
    draw();
    if (playing) run.play();
  }

  function change(next, told) {
    const playing = again.checked && (run.frames.length > 0 || run.status === "running");
    changes.set({ ...next, iterations: next.iterations ?? changes.now?.iterations ?? 30 });
    take(playing);
    live.textContent = `${told} ${words.split(split)}. ${words.kept(H)}`;
  }

  function toggle(i) {
    try {
      const next = engine.splits.toggle(split, i), out = split.kind[i] === KIND.TRAIN;
      const told = `${task.pair(i)} ${out ? "is out of training" : "is in training"}.`;
      change({ ...changes.now, steps: next.history }, told);
      look(i);
    } catch (problem) {
      trouble(problem.message);
    }
  }

  function travel(how) {
    changes[how]();
    take(again.checked && run.frames.length > 0);
    live.textContent = `${how === "undo" ? "Undone" : "Done again"}. ${words.split(split)}. ${
      words.kept(H)
    }`;
  }

  /** A run has ended in an error: say in which iteration, and of what there is no longer "so far". */
  function failed(message) {
    if (run.frames.length) draw();
    trouble(`iteration ${run.frames.length + 1}: ${message}`);
  }

  function trouble(message) {
    error.textContent = `This cannot be done: ${message}.`.replace(/\.\.$/, ".");
    controls();
  }

  function play() {
    error.textContent = "";
    following = true;
    at = run.frames.length;
    run.play();
  }

  function pause() {
    run.pause();
    if (frame()) live.textContent = words.result(view());
  }

  function step() {
    error.textContent = "";
    if (at < run.frames.length) return seek(at + 1);
    following = true;
    run.step();
  }

  function reset() {
    error.textContent = "";
    run.begin(changes.now, changes.now.iterations);
    at = 0;
    following = true;
    controls();
    draw();
    live.textContent = "Back at the start: nothing is computed yet.";
  }

  /** Show an earlier iteration. */
  function seek(t) {
    run.pause();
    at = Math.max(0, Math.min(t, run.frames.length));
    following = at === run.frames.length;
    controls();
    draw();
  }

  function arrived() {
    if (following) at = run.frames.length;
    controls();
    draw();
    if (run.status === "done" || run.status === "ready") live.textContent = words.result(view());
  }

  function look(i) {
    looking = i;
    const shown = view();
    table.show(shown);
    sample.show(shown);
  }

  async function save() {
    try {
      const now = view(), told = now.frame ? words.result(now) : "Nothing is computed yet.";
      const { found, ...drawn } = board.pictures();
      const lines = [
        `${task.name}: row a, column b`,
        told,
        `${words.split(split)}. ${words.kept(H)}`,
        found,
        `${machine()}.`,
        "Breaking Symmetry, the explorer",
      ];
      const setting = address.encode(changes.now), [, op, n] = /^op=(\w+)&n=([\d.]+)/.exec(setting);
      if (setting.length <= 140) lines.push(`explorer.html#${setting}`);
      const shown = { table: table.node, legend, ...drawn, lines };
      await picture.download(shown, `explorer-${op}-${n}-iteration-${at}`);
      live.textContent = "The picture is downloaded.";
    } catch (problem) {
      trouble(`no picture could be made (${problem.message})`);
    }
  }

  function machine() {
    const { kernel, bandwidth, ridge, power, centred } = changes.now;
    const name = kernel === "Gaussian" ? `Gaussian kernel, L = ${bandwidth}` : "Quadratic kernel";
    return `${name}, ridge ${ridge}, power ${power}${centred ? "" : ", not centred"}`;
  }

  // --------------------------------------------------------------------------------- the showing

  const frame = () => run.frames[at - 1] ?? null;

  function view() {
    const now = { task, split, H, frame: frame() };
    return { ...now, axes: sights.axes(now), looked: sights.looked(now, looking) };
  }

  function draw() {
    const now = view();
    table.show(now);
    sample.show(now);
    verdict.show(now, at === run.total || (run.status === "failed" && at === run.frames.length));
    board.show(now, run.frames, run.total, at);
  }

  function controls() {
    controlsOf.show({ status: run.status, at, done: run.frames.length, total: run.total });
  }

  // ---------------------------------------------------------------------------------- the start

  /** Show a setting that an address names; of what is none say so, and show the first scene or stay. */
  function go(text) {
    try {
      changes.set(address.decode(text));
      take(false);
      live.textContent = `${words.split(split)}. ${words.kept(H)}`;
    } catch (problem) {
      const stays = changes.now !== null;
      if (stays) address.write(address.encode(changes.now));
      else go(scenes.first.text);
      error.textContent = `The address holds no setting that can be shown: ${problem.message}. ` +
        (stays ? "The one before stays." : `Shown instead: ${scenes.first.name}.`);
    }
  }

  addEventListener("hashchange", () => {
    const text = address.read(); // back from a section of the page there is nothing new in it
    if (text && text !== address.encode(changes.now)) go(text);
  });
  new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  matchMedia("print").addEventListener("change", draw);
  go(address.read() || scenes.first.text);
  root.dataset.ready = "";
}
