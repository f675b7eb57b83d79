/**
 * The kernel machine f(x) = Σ_i α_i k_M(x, x_i) on one-hot pairs, and the average gradient outer
 * product (AGOP) of its fit. The same as rfm.KernelMachine.
 */
function rfmMachine(products, solving, spectral, gradients) {
  "use strict";
  const { timesTransposed, transposed, largest } = products, { EPS } = solving;
  const TIE = 1e-9; // a lead smaller than this, relative to the scores, counts as a tie
  const SHRUNK = 1e-3; // |f| on the training set below which Y − λα has lost digits of it

  /**
   * Solves (K + λI) α = Y.
   *
   * @param train sample numbers in table order
   * @param YT (n, N) one-hot labels
   * @param scratch {K, L}, two (N, N) matrices to overwrite
   */
  function fit({ kernel, M, n, train, YT, ridge, scratch }) {
    const N = train.length, K = kernel.gram(M, n, train, train, scratch.K);
    const factor = solving.factorise(K, N, ridge, scratch.L), αT = solving.solve(factor, YT);

    /** f at some samples, (N′, n) row by row. */
    const predict = (x) => timesTransposed(kernel.gram(M, n, x, train), αT, N);

    /** f at the training samples, (N, n): Y − λα, which needs no product. */
    function trainPredictions() {
      const f = YT.map((y, place) => y - factor.ridge * αT[place]);
      return largest(f) > SHRUNK ? transposed(f, N) : predict(train);
    }

    /** The lead of a class over another up to which it is rounding, and counts as a tie. */
    function resolution(trained) {
      let most = 0;
      for (let c = 0; c < n; c++) {
        let sum = 0;
        for (let i = 0; i < N; i++) sum += Math.abs(αT[c * N + i]);
        most = Math.max(most, sum);
      }
      return Math.max(10 * EPS * factor.largest * most, TIE * Math.min(1, largest(trained)));
    }

    /** Average gradient outer product over the training set, (2n, 2n). Overwrites K. */
    function agop(centred) {
      const total = kernel.radial
        ? spectral.outerProducts(M, 2 * n, squaredBy(centred))
        : gradients.quadraticProducts(train, αT, M, n, centred);
      return total.map((entry) => entry / N);
    }

    function squaredBy(centred) {
      for (let place = 0; place < K.length; place++) K[place] = kernel.weight(K[place]);
      for (let j = 0; j < N; j++) K[j * N + j] = 0; // times x_j − x_j
      return (through) => gradients.groupedProducts(K, train, αT, n, centred, through);
    }

    return { factor, αT, predict, trainPredictions, resolution, agop };
  }

  return { fit };
}
