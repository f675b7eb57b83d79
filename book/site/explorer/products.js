/**
 * Matrix products in double precision. A matrix is a Float64Array, row by row; a block of it is
 * {of, at, stride}: where its first entry stands, and how far apart its rows are.
 */
function rfmProducts() {
  "use strict";

  const block = (of, stride, at = 0) => ({ of, at, stride });

  /**
   * C += sign · A Bᵀ, where C is (rows, columns) and the rows of A and B have this length: three
   * rows times three rows at a time, so that what is loaded is used three times.
   */
  function addProducts(sign, C, A, rows, B, columns, length) {
    const { of: a, stride: da } = A, { of: b, stride: db } = B;
    const evenRows = rows - rows % 3, evenColumns = columns - columns % 3;
    for (let i = 0; i < evenRows; i += 3) {
      const a0 = A.at + i * da, a1 = a0 + da, a2 = a1 + da;
      for (let j = 0; j < evenColumns; j += 3) {
        const b0 = B.at + j * db, b1 = b0 + db, b2 = b1 + db;
        let s00 = 0, s01 = 0, s02 = 0, s10 = 0, s11 = 0, s12 = 0, s20 = 0, s21 = 0, s22 = 0;
        for (let k = 0; k < length; k++) {
          const x0 = a[a0 + k], x1 = a[a1 + k], x2 = a[a2 + k];
          const y0 = b[b0 + k], y1 = b[b1 + k], y2 = b[b2 + k];
          s00 += x0 * y0;
          s01 += x0 * y1;
          s02 += x0 * y2;
          s10 += x1 * y0;
          s11 += x1 * y1;
          s12 += x1 * y2;
          s20 += x2 * y0;
          s21 += x2 * y1;
          s22 += x2 * y2;
        }
        const c0 = C.at + i * C.stride + j, c1 = c0 + C.stride, c2 = c1 + C.stride, c = C.of;
        c[c0] += sign * s00;
        c[c0 + 1] += sign * s01;
        c[c0 + 2] += sign * s02;
        c[c1] += sign * s10;
        c[c1 + 1] += sign * s11;
        c[c1 + 2] += sign * s12;
        c[c2] += sign * s20;
        c[c2 + 1] += sign * s21;
        c[c2 + 2] += sign * s22;
      }
    }
    for (let i = 0; i < rows; i++) { // what the threes have left
      for (let j = i < evenRows ? evenColumns : 0; j < columns; j++) {
        const a0 = A.at + i * da, b0 = B.at + j * db;
        let sum = 0;
        for (let k = 0; k < length; k++) sum += a[a0 + k] * b[b0 + k];
        C.of[C.at + i * C.stride + j] += sign * sum;
      }
    }
  }

  /** The lower triangle of C += A Aᵀ, where A has so many rows; what lies above it is left open. */
  function addSquare(C, A, rows, length) {
    for (let i = 0; i < rows; i += 6) {
      const some = Math.min(6, rows - i), below = { ...C, at: C.at + i * C.stride };
      addProducts(1, below, { ...A, at: A.at + i * A.stride }, some, A, i + some, length);
    }
  }

  /** A Bᵀ for whole matrices (rows, length) and (columns, length). */
  function timesTransposed(A, B, length) {
    const rows = A.length / length, columns = B.length / length;
    const C = new Float64Array(rows * columns);
    addProducts(1, block(C, columns), block(A, length), rows, block(B, length), columns, length);
    return C;
  }

  /** R S Rᵀ for a symmetric (d, d) S and an (r, d) R. */
  const congruent = (R, S, d) => timesTransposed(timesTransposed(R, S, d), R, d);

  /** The transpose of a (rows, columns) matrix. */
  function transposed(A, columns) {
    const rows = A.length / columns, T = new Float64Array(A.length);
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) T[j * rows + i] = A[i * columns + j];
    }
    return T;
  }

  /** Copies the lower triangle of a (d, d) matrix to the upper one. */
  function mirrored(A, d) {
    for (let i = 0; i < d; i++) {
      for (let j = 0; j < i; j++) A[j * d + i] = A[i * d + j];
    }
    return A;
  }

  /** (A + Aᵀ) / 2 of a (d, d) matrix. */
  function symmetrised(A, d) {
    const S = new Float64Array(A.length);
    for (let i = 0; i < d; i++) {
      for (let j = 0; j < d; j++) S[i * d + j] = (A[i * d + j] + A[j * d + i]) / 2;
    }
    return S;
  }

  /** The largest absolute value; NaN if one is. */
  function largest(values) {
    let most = 0;
    for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i]));
    return most;
  }

  /** The Frobenius norm, without overflow. */
  function norm(values) {
    const scale = largest(values) || 1;
    return Math.sqrt(values.reduce((sum, value) => sum + (value / scale) ** 2, 0)) * scale;
  }

  return {
    block,
    addProducts,
    addSquare,
    timesTransposed,
    congruent,
    transposed,
    mirrored,
    symmetrised,
    largest,
    norm,
  };
}
