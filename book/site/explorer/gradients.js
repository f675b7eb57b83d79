/**
 * Sums of outer products of a fit's gradients over a training set. The same as rfm.gradients.
 *
 * The gradient of output c at x_j is g_jc = M h_jc, with h_jc = Σ_i α_ic w_ij (x_i − x_j) for a
 * radial kernel. Means over j are subtracted, or not.
 */
function rfmGradients(products, spectral) {
  "use strict";
  const { block, addProducts, congruent, transposed, symmetrised, timesTransposed } = products;
  const CHUNK = 32; // samples handled at a time

  /**
   * Σ_{j,c} (h_jc − h̄_c)(h_jc − h̄_c)ᵀ for a radial kernel, gradients grouped by operand: with
   * one-hot pairs coordinate u of Σ_i α_ic w_ij x_i is a sum over the samples i whose first (u < n)
   * or second (u ≥ n) operand is u. Σ_i α_ic w_ij is subtracted at the two coordinates of x_j.
   * h_1c is subtracted from every h_jc first: it shifts the mean, and changes no centred product.
   *
   * @param w (N, N) gradient weights, zero on the diagonal
   * @param x training samples in table order
   * @param αT (c, N) coefficients
   * @param through an (r, 2n) matrix that every h_jc is multiplied by; null for the identity
   */
  function groupedProducts(w, x, αT, n, centred, through) {
    const N = x.length, c = αT.length / N, d = 2 * n, r = through ? through.length / d : d;
    const halves = [
      grouped(w, x, αT, n, (i) => Math.floor(i / n)),
      grouped(w, x, αT, n, (i) => i % n),
    ];
    const total = new Float64Array(r * r), sums = new Float64Array(r * c);
    const origin = new Float64Array(d * c);
    for (let first = 0; first < N; first += CHUNK) {
      const m = Math.min(CHUNK, N - first), width = m * c;
      let h = new Float64Array(d * width); // h[u][j][c]
      halves.forEach(({ w, αT, starts }, half) => {
        for (let u = 0; u < n; u++) {
          const from = starts[u], length = starts[u + 1] - from;
          const out = block(h, c, (half * n + u) * width), rows = block(w, N, first * N + from);
          addProducts(1, out, rows, m, block(αT, N, from), c, length);
        }
      });
      for (let j = 0; j < m; j++) {
        const a = Math.floor(x[first + j] / n), b = n + x[first + j] % n;
        for (let q = j * c; q < (j + 1) * c; q++) {
          let own = 0; // Σ_i α_ic w_ij
          for (let u = 0; u < n; u++) own += h[u * width + q];
          h[a * width + q] -= own;
          h[b * width + q] -= own;
        }
      }
      if (centred) {
        for (let u = 0; u < d; u++) {
          if (first === 0) origin.set(h.subarray(u * width, u * width + c), u * c);
          for (let q = 0; q < width; q++) h[u * width + q] -= origin[u * c + q % c];
        }
      }
      if (through) h = timesTransposed(through, transposed(h, width), d);
      for (let u = 0; u < r; u++) {
        for (let q = 0; q < width; q++) sums[u * c + q % c] += h[u * width + q];
      }
      addProducts(1, block(total, r), block(h, width), r, block(h, width), r, width);
    }
    if (centred) addProducts(-1 / N, block(total, r), block(sums, c), r, block(sums, c), r, c);
    return total;
  }

  /** Weights and coefficients with the samples sorted by an operand; where each value starts. */
  function grouped(w, x, αT, n, operand) {
    const N = x.length, c = αT.length / N, starts = new Int32Array(n + 1);
    for (const i of x) starts[operand(i) + 1]++;
    for (let u = 0; u < n; u++) starts[u + 1] += starts[u];
    const next = starts.slice(), place = Int32Array.from(x, (i) => next[operand(i)]++);
    const sorted = (rows, count) => {
      const out = new Float64Array(rows.length);
      for (let j = 0; j < count; j++) {
        for (let i = 0; i < N; i++) out[j * N + place[i]] = rows[j * N + i];
      }
      return out;
    };
    return { w: sorted(w, N), αT: sorted(αT, c), starts };
  }

  /**
   * Σ_{j,c} (g_jc − ḡ_c)(g_jc − ḡ_c)ᵀ for the quadratic kernel, whose gradients are linear in x_j:
   * g_jc = 2 P_c x_j with P_c = M S_c M, S_c = Σ_i α_ic x_i x_iᵀ. So the sum is 4 Σ_c P_c T P_c,
   * with the scatter matrix T = Σ_j (x_j − x̄)(x_j − x̄)ᵀ; N T is made of whole numbers.
   */
  function quadraticProducts(x, αT, M, n, centred) {
    const N = x.length, c = αT.length / N, d = 2 * n;
    const ones = (S, i, value) => { // value · x xᵀ
      const a = Math.floor(i / n), b = n + i % n;
      for (const u of [a, b]) for (const v of [a, b]) S[u * d + v] += value;
    };
    const NT = new Float64Array(d * d);
    for (const i of x) ones(NT, i, N);
    if (centred) {
      const sum = Float64Array.from({ length: d }, (_, u) => NT[u * d + u] / N);
      for (let u = 0; u < d; u++) for (let v = 0; v < d; v++) NT[u * d + v] -= sum[u] * sum[v];
    }
    const { values, vectors } = spectral.nonzero(M, d), r = values.length;
    const ΛV = vectors.map((entry, i) => entry * values[Math.floor(i / d)]);
    const T = congruent(vectors, NT, d), core = new Float64Array(r * r);
    for (let output = 0; output < c; output++) {
      const S = new Float64Array(d * d);
      for (let i = 0; i < N; i++) ones(S, x[i], αT[output * N + i]);
      const p = congruent(ΛV, S, d), left = timesTransposed(p, T, r); // P_c = Vᵀ p V; p N T
      addProducts(4 / N, block(core, r), block(left, r), r, block(p, r), r, r);
    }
    return symmetrised(congruent(transposed(vectors, d), symmetrised(core, r), r), d);
  }

  return { groupedProducts, quadraticProducts };
}
