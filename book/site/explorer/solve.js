/**
 * The one place where a kernel matrix is factorised: Cholesky, and its jitter.
 * The same rule as rfm.factorise.
 */
function rfmSolve(products) {
  "use strict";
  const { block, addProducts, transposed } = products;
  const EPS = Number.EPSILON, TINY = 2 ** -1022; // of double precision
  const JITTERS = [1e-10, 1e-8, 1e-6]; // tried in turn, in units of the mean diagonal
  const WIDTH = 24; // columns handled at a time

  /**
   * Cholesky factor of K + λI, L Lᵀ. A matrix whose smallest pivot L_ii² is below N·ε of its
   * largest counts as singular, whether or not the factorisation went through; then a jitter is
   * added to its diagonal.
   *
   * @param K (N, N) symmetric, its lower triangle is read
   * @param L (N, N) to write the factor to; its upper triangle is left as it is
   * @returns {L, N, ridge, jitter, largest, condition}, ridge being λ + jitter
   */
  function factorise(K, N, ridge, L) {
    let scale = 0, largest = -Infinity;
    for (let i = 0; i < N; i++) {
      scale += K[i * N + i];
      largest = Math.max(largest, K[i * N + i]);
    }
    scale /= N;
    if (Math.abs(scale) + ridge <= TINY / EPS) {
      throw new Error(
        `kernel matrix of size ${N} has vanished: its mean diagonal is ${scale.toExponential(1)}`,
      );
    }
    for (const jitter of [0, ...JITTERS.map((j) => j * scale)]) {
      L.set(K);
      for (let i = 0; i < N; i++) L[i * N + i] += ridge + jitter;
      if (!cholesky(L, N)) continue;
      let smallest = Infinity, greatest = 0;
      for (let i = 0; i < N; i++) {
        smallest = Math.min(smallest, L[i * N + i]);
        greatest = Math.max(greatest, L[i * N + i]);
      }
      if (smallest ** 2 > N * EPS * greatest ** 2) {
        const condition = (greatest / smallest) ** 2;
        return { L, N, ridge: ridge + jitter, jitter, largest, condition };
      }
    }
    if (!K.every(Number.isFinite)) {
      throw new Error(
        `kernel matrix of size ${N} has entries that are not finite; the features have ` +
          "overflowed or a kernel parameter is out of range",
      );
    }
    throw new Error(
      `kernel matrix of size ${N} is singular even with ${JITTERS.at(-1)} of its mean diagonal ` +
        "added; use a larger ridge",
    );
  }

  /** Overwrites the lower triangle of A with its factor; false if a pivot is not positive. */
  function cholesky(A, N) {
    for (let start = 0; start < N; start += WIDTH) {
      const end = Math.min(start + WIDTH, N), from = start * N;
      // Columns start … end−1: subtract what the columns before them account for,
      addProducts(
        -1,
        block(A, N, from + start),
        block(A, N, from),
        N - start,
        block(A, N, from),
        end - start,
        start,
      );
      for (let j = start; j < end; j++) { // then column by column
        for (let i = j; i < N; i++) {
          let sum = A[i * N + j];
          for (let k = start; k < j; k++) sum -= A[i * N + k] * A[j * N + k];
          if (i > j) A[i * N + j] = sum / A[j * N + j];
          else if (sum > 0 && sum < Infinity) A[j * N + j] = Math.sqrt(sum);
          else return false;
        }
      }
    }
    return true;
  }

  /** (K + ridge·I)⁻¹ Y by two triangular solves; Yᵀ and the result are (c, N). */
  function solve({ L, N }, YT) {
    const x = YT.slice(), c = YT.length / N, U = transposed(L, N);
    for (let start = 0; start < N; start += WIDTH) { // L z = y, downwards
      const end = Math.min(start + WIDTH, N), rows = block(L, N, start * N);
      addProducts(-1, block(x, N, start), block(x, N), c, rows, end - start, start);
      for (let q = 0; q < c * N; q += N) {
        for (let i = start; i < end; i++) {
          let sum = x[q + i];
          for (let k = start; k < i; k++) sum -= L[i * N + k] * x[q + k];
          x[q + i] = sum / L[i * N + i];
        }
      }
    }
    for (let end = N; end > 0; end -= WIDTH) { // Lᵀ x = z, upwards
      const start = Math.max(end - WIDTH, 0), rows = block(U, N, start * N + end);
      addProducts(-1, block(x, N, start), block(x, N, end), c, rows, end - start, N - end);
      for (let q = 0; q < c * N; q += N) {
        for (let i = end - 1; i >= start; i--) {
          let sum = x[q + i];
          for (let k = i + 1; k < end; k++) sum -= U[i * N + k] * x[q + k];
          x[q + i] = sum / U[i * N + i];
        }
      }
    }
    return x;
  }

  return { factorise, solve, JITTERS, EPS, TINY };
}
