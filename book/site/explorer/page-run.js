"use strict";

/**
 * One run: asks the worker for one iteration after another, no more than one at a time, so that the
 * page stays free, and keeps what came back.
 *
 * explorerRun(startWorker, {frame(frame), state(), failed(message)}) →
 *   {begin(setting, total), play(), pause(), step(), frames, status, total}
 * status: "ready" | "running" | "done" | "failed".
 */
function explorerRun(startWorker, tell) {
  const PACE = 60; // milliseconds from one iteration to the next, at least: it is to be watched
  const run = { frames: [], status: "ready", total: 0 };
  const waiting = [];
  let worker = null, number = 0, posted = 0, timer = null, asked = 0;

  /** Every message that is posted has one answer; answers to an earlier run are dropped. */
  function post(message) {
    waiting.push(number);
    worker.postMessage(message);
  }

  function receive({ data }) {
    if (waiting.shift() !== number) return;
    if (data.type === "frame") arrived(data);
    else if (data.type === "error") fail(data.message);
  }

  function fail(message) {
    become("failed");
    tell.failed(message);
  }

  function arrived(frame) {
    posted -= 1;
    run.frames.push(frame);
    if (run.frames.length >= run.total || frame.ended) become("done");
    tell.frame(frame);
    if (run.status === "running") {
      timer = setTimeout(ask, Math.max(0, PACE - (performance.now() - asked)));
    }
  }

  function ask() {
    if (posted || run.frames.length >= run.total || run.status === "failed") return;
    posted += 1;
    asked = performance.now();
    post({ type: "step" });
  }

  function become(status) {
    clearTimeout(timer);
    if (run.status === status) return;
    run.status = status;
    tell.state();
  }

  /** Forget what there is, and make ready for a run of so many iterations. */
  function begin(setting, total) {
    clearTimeout(timer);
    number += 1;
    posted = 0;
    Object.assign(run, { frames: [], status: "ready", total });
    try {
      if (!worker) {
        worker = startWorker();
        worker.addEventListener("message", receive);
        worker.addEventListener("error", (event) => fail(event.message));
      }
      post({ type: "start", setting });
    } catch (error) {
      fail(error.message);
    }
  }

  /** Go on to so many iterations. */
  function play() {
    if (run.status === "failed" || run.frames.length >= run.total) return;
    become("running");
    ask();
  }

  const pause = () => run.status === "running" && become("ready");
  const step = () => run.status === "ready" && ask();

  return Object.assign(run, { begin, play, pause, step });
}
