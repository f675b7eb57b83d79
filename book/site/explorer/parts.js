/** All parts of the engine, each made by the function of its file, given to those that need it. */
function rfmParts() {
  "use strict";
  const groups = rfmGroups(), random = rfmRandom();
  const tasks = rfmTasks(groups), subgroups = rfmSubgroups(groups);
  const splits = rfmSplits(random, subgroups), settings = rfmSettings(tasks, splits);
  const address = rfmAddress(tasks, splits, settings), python = rfmPython(settings);

  const products = rfmProducts(), solving = rfmSolve(products), { EPS } = solving;
  const spectral = rfmSpectral(products, EPS), kernels = rfmKernels(EPS);
  const gradients = rfmGradients(products, spectral);
  const machines = rfmMachine(products, solving, spectral, gradients);
  const decomposition = rfmDecomposition(products, rfmThresholds(), EPS, splits.roundHalfEven);

  const judging = rfmJudging(splits);
  const recursion = rfmRecursion(products, solving, spectral, kernels, machines, judging, {
    settings,
    splits,
  });
  return {
    groups,
    random,
    tasks,
    subgroups,
    splits,
    settings: { ...settings, ...address, ...python },
    products,
    solving,
    spectral,
    kernels,
    gradients,
    machines,
    decomposition,
    judging,
    recursion,
  };
}
