/**
 * Kernels on one-hot pairs under a metric M: Gaussian and quadratic. The same as rfm.Gaussian and
 * rfm.Quadratic; samples are numbers i = a·n + b, and M is (2n, 2n).
 *
 * A kernel is {radial, gram(M, n, x, y), weight(k)}: gram gives k_M(x_i, y_j), (N, N′) row by row.
 */
function rfmKernels(EPS) {
  "use strict";
  const RESOLUTION = 8; // squared distances below this many ε of the entries of M they are made of

  /** exp(−u / 2L²), u = ‖x − x′‖²_M = xᵀMx + x′ᵀMx′ − 2 xᵀMx′. */
  function gaussian(L) {
    const scale = -0.5 / L ** 2;
    return {
      radial: true,
      gram(M, n, x, y, out = new Float64Array(x.length * y.length)) {
        const table = columns(M, n, y), q = squaredNorms(M, n, y), p = squaredNorms(M, n, x);
        for (let j = 0; j < y.length; j++) {
          for (let u = 0; u < 2 * n; u++) {
            const entry = u * y.length + j;
            table[entry] = -2 * table[entry] + (u < n ? q[j] : 0); // one first operand in each x
          }
        }
        const known = resolved(M, n, x), alsoKnown = resolved(M, n, y), same = x === y;
        sums(n, x, y, table, out, same, (u, i, j) => {
          const distance = u + p[i];
          return Math.exp(scale * (distance <= known[i] + alsoKnown[j] ? 0 : distance));
        });
        return out;
      },
      weight: (k) => k * L ** -2, // −2φ′(u), from the value φ(u)
    };
  }

  /** (xᵀMx′)². Its gradients have a closed form, gradients.js, which needs no weights. */
  function quadratic() {
    return {
      radial: false,
      gram(M, n, x, y, out = new Float64Array(x.length * y.length)) {
        sums(n, x, y, columns(M, n, y), out, x === y, (u) => u * u);
        return out;
      },
    };
  }

  /** M times the codes of the samples y, (2n, N′). */
  function columns(M, n, y) {
    const d = 2 * n, table = new Float64Array(d * y.length);
    for (let j = 0; j < y.length; j++) {
      const a = Math.floor(y[j] / n) * d, b = (n + y[j] % n) * d;
      for (let u = 0; u < d; u++) table[u * y.length + j] = M[a + u] + M[b + u];
    }
    return table;
  }

  /** A function of the sums of the rows a and n+b of the table, for each sample x; (N, N′). */
  function sums(n, x, y, table, out, symmetric, value) {
    const N = y.length;
    for (let i = 0; i < x.length; i++) {
      const a = Math.floor(x[i] / n) * N, b = (n + x[i] % n) * N, most = symmetric ? i + 1 : N;
      for (let j = 0; j < most; j++) out[i * N + j] = value(table[a + j] + table[b + j], i, j);
      if (symmetric) { for (let j = 0; j < i; j++) out[j * N + i] = out[i * N + j]; }
    }
  }

  /** xᵀMx, (N,). */
  function squaredNorms(M, n, x) {
    const d = 2 * n;
    return Float64Array.from(x, (i) => {
      const a = Math.floor(i / n), b = n + i % n;
      return M[a * d + a] + M[b * d + b] + 2 * M[a * d + b];
    });
  }

  /** Up to where rounding of M reaches in a squared distance: the share that x has in it, (N,). */
  function resolved(M, n, x) {
    const d = 2 * n;
    const diagonal = (u) => RESOLUTION * EPS * M[u * d + u];
    return Float64Array.from(x, (i) => diagonal(Math.floor(i / n)) + diagonal(n + i % n));
  }

  return { gaussian, quadratic };
}
