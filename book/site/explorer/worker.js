/**
 * The worker, which computes so that the page stays at hand: one run at a time, a frame for each
 * step that is asked for. See engine.js for what is posted.
 */
function rfmWorker(scope, recursion) {
  "use strict";
  let run = null;

  const answers = {
    start({ setting }) {
      run = null;
      run = recursion.start(setting);
      return { type: "ready", N: run.N };
    },
    step() {
      if (!run) throw new Error("no run has been started");
      return run.step();
    },
  };

  scope.onmessage = ({ data }) => {
    try {
      const frame = answers[data.type](data);
      const arrays = Object.values(frame).filter((value) => ArrayBuffer.isView(value));
      scope.postMessage(frame, arrays.map((array) => array.buffer));
    } catch (error) {
      run = null;
      scope.postMessage({ type: "error", message: error.message });
    }
  };
}
