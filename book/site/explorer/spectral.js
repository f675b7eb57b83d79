/**
 * Powers and products of metrics in which zero stays zero. The same rules as rfm.matrix_power and
 * rfm.spectral; the eigenvectors are found by Jacobi's rotations.
 */
function rfmSpectral(products, EPS) {
  "use strict";
  const { timesTransposed, congruent, transposed, symmetrised, largest } = products;
  const SEEN = 1e-10; // share of an AGOP that the rounding of its sum may have
  const LOST = 1e-3; // share of a gradient that its own rounding may have
  const MOST_SWEEPS = 60;

  /**
   * Eigenvalues (d,) and eigenvectors, as rows (d, d), of a symmetric (d, d) matrix: plane
   * rotations make every pair of rows orthogonal to the matrix in turn, until all are.
   */
  function eigen(M, d) {
    const A = M.slice(), vectors = new Float64Array(d * d);
    for (let i = 0; i < d; i++) vectors[i * d + i] = 1;
    const negligible = EPS * largest(A) * 1e-2;
    for (let sweep = 0, turned = true; turned; sweep++) {
      if (sweep === MOST_SWEEPS) throw new Error("the eigenvalues of M were not found");
      turned = false;
      for (let p = 0; p < d; p++) {
        for (let q = p + 1; q < d; q++) {
          if (!(Math.abs(A[p * d + q]) > negligible)) continue;
          rotate(A, vectors, d, p, q);
          turned = true;
        }
      }
    }
    return { values: Float64Array.from({ length: d }, (_, i) => A[i * d + i]), vectors };
  }

  /** Turns coordinates p and q so that A_pq = 0. */
  function rotate(A, vectors, d, p, q) {
    const apq = A[p * d + q], θ = (A[q * d + q] - A[p * d + p]) / (2 * apq);
    const t = Math.sign(θ || 1) / (Math.abs(θ) + Math.hypot(θ, 1)); // the tangent
    const cos = 1 / Math.hypot(t, 1), sin = t * cos;
    A[p * d + p] -= t * apq;
    A[q * d + q] += t * apq;
    A[p * d + q] = A[q * d + p] = 0;
    for (let i = 0; i < d; i++) {
      if (i !== p && i !== q) {
        const x = A[p * d + i], y = A[q * d + i];
        A[i * d + p] = A[p * d + i] = cos * x - sin * y;
        A[i * d + q] = A[q * d + i] = sin * x + cos * y;
      }
      const v = vectors[p * d + i], w = vectors[q * d + i];
      vectors[p * d + i] = cos * v - sin * w;
      vectors[q * d + i] = sin * v + cos * w;
    }
  }

  /** Below this, eigenvalues are zero to working precision, in absolute value. */
  const floor = (values) => 10 * values.length * EPS * largest(values);

  /** M^s of a symmetric M: an eigenvalue below the floor, negative ones included, is set to 0. */
  function matrixPower(M, d, s) {
    const { values, vectors } = eigen(M, d), zero = floor(values);
    const powers = values.map((value) => value > zero ? value ** s : 0);
    return fromEigen(powers, vectors, d);
  }

  /** Σ_k values_k v_k v_kᵀ of eigenvectors v_k, the rows of a matrix. */
  function fromEigen(values, vectors, d) {
    const columns = transposed(vectors, d);
    const scaled = columns.map((entry, i) => entry * values[i % values.length]);
    return symmetrised(timesTransposed(scaled, columns, values.length), d);
  }

  /** The eigenvalues of M that are not zero (r,), and their vectors as rows (r, d). */
  function nonzero(M, d) {
    const { values, vectors } = eigen(M, d), zero = floor(values);
    const inside = [...values.keys()].filter((k) => Math.abs(values[k]) > zero);
    const rows = new Float64Array(inside.length * d);
    inside.forEach((k, place) => rows.set(vectors.subarray(k * d, (k + 1) * d), place * d));
    return { values: Float64Array.from(inside, (k) => values[k]), vectors: rows };
  }

  /**
   * Σ g gᵀ of gradients g = M h, with the null directions of M kept exactly: the product is taken
   * on the range of M; where rounding of Σ h hᵀ would still be seen, every h goes there first.
   *
   * @param squared gives Σ h hᵀ for null, and Σ Rh (Rh)ᵀ for an (r, d) matrix R
   */
  function outerProducts(M, d, squared) {
    const { values, vectors } = nonzero(M, d), r = values.length;
    const onRange = vectors.map((entry, i) => entry * values[Math.floor(i / d)]); // Λ Vᵀ
    const inner = squared(null);
    let core = congruent(onRange, inner, d);
    const size = Math.sqrt(largest(inner)) * largest(values); // of M h without cancelling
    if (EPS * size ** 2 > SEEN * largest(core)) {
      core = squared(onRange);
      if (EPS * size > LOST * Math.sqrt(largest(core))) {
        throw new Error("the gradients are lost in the rounding of what they are sums of");
      }
    }
    return symmetrised(congruent(transposed(vectors, d), core, r), d);
  }

  return { eigen, floor, matrixPower, nonzero, outerProducts };
}
