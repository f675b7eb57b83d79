/**
 * Which samples a machine gets right: a lead of the right class that is more than rounding.
 * The same as rfm.judging, for all n² samples at once.
 */
function rfmJudging(splits) {
  "use strict";
  const { KIND } = splits;

  /**
   * @param scores (n², n) row by row
   * @param tie the largest lead that counts as a tie
   * @returns {lead, right, predicted} by sample: by how much the right class leads the best of the
   *     others, whether that is more than a tie, and the class with the highest score
   */
  function judge(task, scores, tie) {
    const { n, label } = task, count = n * n;
    const lead = new Float64Array(count), right = new Uint8Array(count);
    const predicted = new Uint8Array(count);
    for (let i = 0; i < count; i++) {
      let best = 0, rival = -Infinity;
      for (let c = 0; c < n; c++) {
        const score = scores[i * n + c];
        if (score > scores[i * n + best]) best = c;
        if (c !== label[i]) rival = Math.max(rival, score);
      }
      lead[i] = scores[i * n + label[i]] - rival;
      right[i] = Number(lead[i] > tie);
      predicted[i] = best;
    }
    return { lead, right, predicted };
  }

  /** Shares of what is right, null where there is no such sample. */
  function accuracies(split, right) {
    const { kind, task, mirrors } = split, all = [...kind.keys()];
    const share = (wanted) => {
      const of = all.filter(wanted);
      return of.length ? of.filter((i) => right[i]).length / of.length : null;
    };
    return {
      trainAccuracy: share((i) => kind[i] === KIND.TRAIN),
      testAccuracy: share((i) => kind[i] !== KIND.TRAIN),
      randomAccuracy: share((i) => kind[i] === KIND.RANDOM),
      withheldAccuracy: share((i) => kind[i] === KIND.WITHHELD),
      movedAccuracy: share((i) => kind[i] === KIND.MOVED),
      axisAccuracy: share((i) => kind[i] !== KIND.TRAIN && mirrors.includes(task.mirror[i])),
    };
  }

  /** The thinnest lead among test points that are right; null if none is. */
  function margin(split, { lead, right }) {
    const leads = splits.of(split, "test").filter((i) => right[i]).map((i) => lead[i]);
    return leads.length ? Math.min(...leads) : null;
  }

  /** Mean squared distance of the scores from the one-hot labels, over some samples. */
  function loss(task, scores, samples) {
    const { n, label } = task;
    let sum = 0;
    for (const i of samples) {
      for (let c = 0; c < n; c++) sum += (scores[i * n + c] - Number(c === label[i])) ** 2;
    }
    return sum / samples.length;
  }

  return { judge, accuracies, margin, loss };
}
