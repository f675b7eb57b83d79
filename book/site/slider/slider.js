// The slider of chapter 05: shows the stored frames of a run and computes nothing of its own.
// Numbers stand in the page, pictures on two sheets beside this script.
(() => {
  "use strict";

  const HERE = document.currentScript.src;
  const DELAY = 450; // milliseconds of one iteration when it plays
  const CHART = { width: 340, height: 178, left: 42, right: 6, top: 8, bottom: 34 };
  const SUBSCRIPTS = "₀₁₂₃₄₅₆₇₈₉";

  const sub = (t) => String(t).replace(/\d/g, (digit) => SUBSCRIPTS[digit]);
  const minus = (value) => String(value).replace("-", "−");
  const percent = (part, whole) => `${(100 * part / whole).toFixed(1)} %`;
  const line = (points) => points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ");

  /** What there is to say of an iteration, in words, as HTML. */
  function words(frame) {
    const { t, points, right, votes, train_right, train_size } = frame;
    const M = `<i>M</i><sub>${t}</sub>`;
    const machine = `the machine fitted with ${M} on <b>${right}</b> ` +
      `(${percent(right, points)}), and on ${train_right} of ${train_size} training points.`;
    if (!frame.profile.length) {
      return `${M} is the identity. Its block <i>C</i> is zero, so nobody votes: of ${points} test ` +
        `points the votes are right on <b>${votes}</b>, ${machine}`;
    }
    return `The votes under <i>C</i> of ${M} are right on <b>${votes}</b> of ${points} test points ` +
      `(${percent(votes, points)}), ${machine} The norm of <i>C</i> is ${frame.size.toFixed(3)} ` +
      `of that of the diagonal block, its circulant deviation ${frame.deviation.toFixed(2)}.`;
  }

  /** An element of SVG in another. */
  function draw(parent, name, attributes, text) {
    const node = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    if (text !== undefined) node.textContent = text;
    return parent.appendChild(node);
  }

  /** Axes of a chart; returns the places of values, x from the first list and y from the second. */
  function axes(svg, xs, ys, label, show) {
    const { width, height, left, right, top, bottom } = CHART;
    const low = height - bottom;
    const [first, last] = [xs[0], xs.at(-1)];
    const x = (value) => left + (value - first) / (last - first) * (width - right - left);
    const y = (value) => low - (value - ys[0]) / (ys.at(-1) - ys[0]) * (low - top);
    for (const value of ys) {
      draw(svg, "line", {
        class: "slider-grid",
        x1: left,
        x2: width - right,
        y1: y(value),
        y2: y(value),
      });
      draw(svg, "text", { x: left - 6, y: y(value) + 4, "text-anchor": "end" }, show(value));
    }
    for (const value of xs) {
      draw(svg, "text", { x: x(value), y: low + 15, "text-anchor": "middle" }, minus(value));
    }
    const middle = (left + width - right) / 2;
    draw(svg, "text", { x: middle, y: height - 3, "text-anchor": "middle" }, label);
    return { x, y };
  }

  /** The chart of accuracies; returns what moves its marker to an iteration. */
  function accuracy(svg, frames) {
    const end = frames.length - 1;
    const ticks = [0, 5, 10, 15, 20, 25, end];
    const { x, y } = axes(svg, ticks, [0, 0.5, 1], "iterations done, t", (v) => `${100 * v} %`);
    const marker = draw(svg, "line", { class: "slider-marker", y1: y(0), y2: y(1) });
    const series = [
      ["training", "train", (f) => f.train_right / f.train_size, 0.47],
      ["test, votes", "vote", (f) => f.votes / f.points, 0.33],
      ["test, machine", "machine", (f) => f.right / f.points, 0.19],
    ];
    const dots = series.map(([name, kind, share, place]) => {
      const points = frames.map((frame) => [x(frame.t), y(share(frame))]);
      draw(svg, "polyline", { class: `slider-line slider-${kind}`, points: line(points) });
      const key = [[x(19), y(place)], [x(21), y(place)]];
      draw(svg, "polyline", { class: `slider-line slider-${kind}`, points: line(key) });
      draw(svg, "text", { x: x(21) + 5, y: y(place) + 4 }, name);
      return draw(svg, "circle", { class: `slider-dot slider-${kind}`, r: 4 });
    });
    return (frame) => {
      marker.setAttribute("x1", x(frame.t));
      marker.setAttribute("x2", x(frame.t));
      series.forEach(([, , share], i) => {
        dots[i].setAttribute("cx", x(frame.t));
        dots[i].setAttribute("cy", y(share(frame)));
      });
      svg.setAttribute(
        "aria-label",
        `Accuracy against iterations done, with a marker at ${frame.t}: votes ` +
          `${percent(frame.votes, frame.points)}, machine ${percent(frame.right, frame.points)}.`,
      );
    };
  }

  /** The chart of mean votes; returns what shows those of an iteration. */
  function votes(svg, frames) {
    const half = (frames.at(-1).profile.length - 1) / 2;
    const ticks = [-half, -half / 2, 0, half / 2, half];
    const { x, y } = axes(svg, ticks, [0, 1, 2], "class less right class", (v) => v);
    const wide = 0.7 * (x(1) - x(0));
    const bars = Array.from({ length: 2 * half + 1 }, (_, i) => {
      const kind = i === half ? "slider-bar-right" : "slider-bar-other";
      return draw(svg, "rect", { class: kind, x: x(i - half) - wide / 2, width: wide });
    });
    const none = draw(svg, "text", { x: x(0), y: y(0.5), "text-anchor": "middle" }, "no votes yet");
    return (frame) => {
      none.setAttribute("visibility", frame.profile.length ? "hidden" : "visible");
      bars.forEach((bar, i) => {
        const value = frame.profile[i] ?? 0;
        bar.setAttribute("y", y(value));
        bar.setAttribute("height", y(0) - y(value));
      });
      const others = frame.profile.filter((_, i) => i !== half);
      svg.setAttribute(
        "aria-label",
        frame.profile.length
          ? `Mean votes by class, relative to the mean of all: the right class ` +
            `${frame.profile[half].toFixed(2)}, the best of the others ` +
            `${Math.max(...others).toFixed(2)}.`
          : "No votes yet.",
      );
    };
  }

  /** The picture of the metric; returns what shows that of an iteration on one of the sheets. */
  function metric(root, frames) {
    const canvas = root.querySelector("canvas");
    const pen = canvas.getContext("2d");
    const columns = Number(root.dataset.columns);
    const most = Math.max(...frames.map((frame) => frame.largest));
    const sheets = {};
    let wanted = null;

    function paint() {
      const { frame, ends } = wanted;
      const sheet = sheets[ends];
      if (!sheet.complete || !sheet.naturalWidth) return;
      const side = sheet.naturalWidth / columns;
      if (canvas.width !== side) canvas.width = canvas.height = side;
      const [column, row] = [frame.t % columns, Math.floor(frame.t / columns)];
      pen.drawImage(sheet, side * column, side * row, side, side, 0, 0, side, side);
      canvas.dataset.shown = `${ends} ${frame.t}`;
    }

    return (frame, ends) => {
      wanted = { frame, ends };
      if (!sheets[ends]) {
        sheets[ends] = new Image();
        sheets[ends].addEventListener("load", paint);
        sheets[ends].src = new URL(`${ends}.png`, HERE).href;
      }
      const end = ends === "own" ? frame.largest : most;
      root.querySelector(".slider-low").textContent = end ? `−${end.toPrecision(2)}` : "0";
      root.querySelector(".slider-high").textContent = end ? `+${end.toPrecision(2)}` : "0";
      canvas.setAttribute(
        "aria-label",
        `The metric M${sub(frame.t)} without its main diagonal. ` +
          (frame.profile.length
            ? `How far C is from stripes: ${frame.deviation.toFixed(2)}, where 0 is nothing but ` +
              `stripes. Its largest entry is ${frame.largest.toPrecision(2)} in size.`
            : "There is nothing else in it."),
      );
      paint();
    };
  }

  /** Bring a slider to life. */
  function start(root) {
    const frames = JSON.parse(root.querySelector(".slider-data").textContent);
    const range = root.querySelector("input[type=range]");
    const now = root.querySelector(".slider-now");
    const says = root.querySelector("output");
    const play = root.querySelector(".slider-play");
    const still = matchMedia("(prefers-reduced-motion: reduce)");
    const parts = [
      metric(root, frames),
      accuracy(root.querySelector(".slider-accuracy"), frames),
      votes(root.querySelector(".slider-votes"), frames),
    ];
    let timer = null;

    function show() {
      const frame = frames[Number(range.value)];
      const ends = root.querySelector("input[name=slider-ends]:checked").value;
      for (const part of parts) part(frame, ends);
      range.setAttribute("aria-valuetext", `${frame.t} of ${frames.length - 1} iterations`);
      says.innerHTML = words(frame); // numbers of the page alone
      now.textContent = frame.t;
    }

    function stop() {
      clearInterval(timer);
      timer = null;
      says.setAttribute("aria-live", "polite");
      play.textContent = still.matches ? "Next" : "Play";
    }

    function step() {
      range.value = (Number(range.value) + 1) % frames.length;
      show();
    }

    play.addEventListener("click", () => {
      if (timer) return stop();
      if (still.matches) return step();
      says.setAttribute("aria-live", "off"); // nobody can listen that fast
      play.textContent = "Pause";
      step();
      timer = setInterval(() => {
        step();
        if (Number(range.value) === frames.length - 1) stop();
      }, DELAY);
    });
    range.addEventListener("input", () => {
      stop();
      show();
    });
    root.querySelector("fieldset").addEventListener("change", show);
    still.addEventListener("change", stop);
    stop();
    root.hidden = false;
    root.closest("figure").classList.add("slider-live");
    new IntersectionObserver((seen, observer) => {
      if (!seen.some((entry) => entry.isIntersecting)) return;
      observer.disconnect();
      show();
    }, { rootMargin: "600px" }).observe(root);
  }

  for (const root of document.querySelectorAll(".slider")) start(root);
})();
