"use strict";

/**
 * Run, step, reset and the slider through the iterations.
 *
 * explorerControls(dom, {play, pause, step, reset, seek(t)}) → {node, show({status, at, done, total})}.
 */
function explorerControls({ el, button, able }, { play, pause, step, reset, seek }) {
  let running = false, last = null;
  const run = button("Run", () => running ? pause() : last.done >= last.total ? replay() : play(), {
    class: "x-run",
  });
  const one = button("Step", step), back = button("Reset", reset);
  const slider = el("input", {
    type: "range",
    min: 0,
    max: 0,
    value: 0,
    "aria-label": "Iteration that is shown",
    input: () => seek(Number(slider.value)),
  });
  const told = el("output", { class: "x-told" });
  const node = el(
    "div",
    { class: "x-bar", role: "group", "aria-label": "The run" },
    run,
    one,
    back,
    el("div", { class: "x-slide" }, slider, told),
  );

  function replay() {
    reset();
    play();
  }

  function show(now) {
    last = now;
    running = now.status === "running";
    const words = running
      ? "Pause"
      : now.done >= now.total
      ? "Run again"
      : now.done
      ? "Go on"
      : "Run";
    if (run.textContent !== words) run.textContent = words;
    run.dataset.state = running ? "running" : "still";
    able(run, now.status !== "failed");
    able(one, !running && now.status !== "failed" && now.at < now.total);
    able(back, now.done > 0 || running);
    slider.max = now.done;
    slider.value = now.at;
    slider.disabled = now.done === 0;
    const text = `iteration ${now.at} of ${now.total}`;
    slider.setAttribute("aria-valuetext", text);
    told.textContent = text;
    slider.style.setProperty("--done", `${100 * now.done / now.total}%`);
  }

  return { node, show };
}
