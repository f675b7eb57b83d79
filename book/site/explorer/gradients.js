/**
 * Sums of outer products of a fit's gradients over a training set. The same as rfm.gradients.
 *
 * The gradient of output c at x_j is g_jc = M h_jc, with h_jc = Σ_i α_ic w_ij (x_i − x_j) for a
 * radial kernel. Means over j are subtracted, or not.
 */
function rfmGradients(products, spectral) {
  "use strict";
  const { block, addProducts, addSquare, congruent, transposed, mirrored } = products;
  const { symmetrised, timesTransposed } = products;
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
    const first = (i) => Math.floor(i / n), second = (i) => i % n;
    const halves = [first, second].map((operand) => grouped(w, x, αT, n, operand));
    const total = new Float64Array(r * r), sums = new Float64Array(r * c);
    let origin = null;
    for (let start = 0; start < N; start += CHUNK) {
      const chunk = x.slice(start, start + CHUNK), m = chunk.length, width = m * c;
      let h = new Float64Array(d * width); // h[u][j][c]
      halves.forEach(({ w, αT, starts }, half) => {
        for (let u = 0; u < n; u++) {
          const from = starts[u], length = starts[u + 1] - from;
          const out = block(h, c, (half * n + u) * width), rows = block(w, N, start * N + from);
          addProducts(1, out, rows, m, block(αT, N, from), c, length);
        }
      });
      subtractOwn(h, chunk, n, c);
      if (centred) {
        origin ??= outputsOfFirst(h, d, c, width);
        eachOutput(h, d, m, c, (place, output) => h[place] -= origin[output]);
      }
      if (through) h = timesTransposed(through, transposed(h, width), d);
      eachOutput(h, r, m, c, (place, output) => sums[output] += h[place]);
      addSquare(block(total, r), block(h, width), r, width);
    }
    if (centred) addProducts(-1 / N, block(total, r), block(sums, c), r, block(sums, c), r, c);
    return mirrored(total, r);
  }

  /** Subtracts Σ_i α_ic w_ij, the sum over the first operands, at the two coordinates of x_j. */
  function subtractOwn(h, x, n, c) {
    const width = x.length * c, own = new Float64Array(width);
    for (let u = 0; u < n; u++) {
      for (let q = 0; q < width; q++) own[q] += h[u * width + q];
    }
    for (let j = 0; j < x.length; j++) {
      const a = Math.floor(x[j] / n) * width, b = (n + x[j] % n) * width;
      for (let q = j * c; q < (j + 1) * c; q++) {
        h[a + q] -= own[q];
        h[b + q] -= own[q];
      }
    }
  }

  /** The h_1c, (rows, c). */
  function outputsOfFirst(h, rows, c, width) {
    const found = new Float64Array(rows * c);
    for (let u = 0; u < rows; u++) found.set(h.subarray(u * width, u * width + c), u * c);
    return found;
  }

  /** Visits every entry of h, (rows, m, c), with its place there and in a (rows, c) matrix. */
  function eachOutput(h, rows, m, c, visit) {
    for (let u = 0, place = 0; u < rows; u++) {
      for (let j = 0; j < m; j++) {
        for (let output = u * c; output < (u + 1) * c; output++) visit(place++, output);
      }
    }
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
