/**
 * Subgroups H of Dih(A): what they are called, what they keep, and their orbits.
 * The same as rfm.Subgroup, rfm.generate and rfm.stabiliser.
 *
 * A subgroup is {task, elements, generators, name}; elements are numbers g, rotations first.
 */
function rfmSubgroups(groups) {
  "use strict";

  function subgroup(task, elements) {
    elements = [...new Set(elements)].sort((g, h) => g - h);
    const generators = fewGenerators(task, elements);
    return { task, elements, generators, name: name(task, elements), order: elements.length };
  }

  /** The elements of the subgroup that some symmetries generate: products until no new one. */
  function closure(task, generators) {
    const found = new Set([task.identity]);
    for (const h of found) for (const g of generators) found.add(task.compose(g, h));
    return found;
  }

  const generate = (task, generators) => subgroup(task, closure(task, generators));

  /** All elements of Dih(A) that map a set of samples to itself; inside[i] is 0 or 1. */
  function keepers(task, inside) {
    const keeps = ({ g }) => inside.every((is, i) => is === inside[task.act(g, i)]);
    return subgroup(task, task.symmetries.filter(keeps).map(({ g }) => g));
  }

  /** Few elements that generate it, each the first that enlarges what there is so far. */
  function fewGenerators(task, elements) {
    const n = task.n, first = elements.findIndex((g) => g >= n), chosen = [];
    let reached = new Set([task.identity]);
    for (const g of [...(first < 0 ? [] : [elements[first]]), ...elements.filter((g) => g < n)]) {
      if (reached.has(g)) continue;
      chosen.push(g);
      reached = closure(task, chosen);
    }
    return chosen.length ? chosen : [task.identity];
  }

  /** (d₁, …, d_m), each dividing the next: the rotations are C_{d₁} × … × C_{d_m}. */
  function invariantFactors(task, elements) {
    const orders = elements.filter((g) => g < task.n).map((k) => task.group.orders[k]);
    const factors = [];
    for (const [p, most] of groups.factorise(orders.length)) {
      const killed = (j) => orders.filter((order) => p ** j % order === 0).length; // p^{e_j}
      const ranks = [];
      for (let j = 1; j <= most; j++) {
        ranks.push(Math.round(Math.log(killed(j) / killed(j - 1)) / Math.log(p)));
      }
      for (let i = 0; i < ranks[0]; i++) { // largest first
        factors[i] = (factors[i] ?? 1) * p ** ranks.filter((rank) => rank > i).length;
      }
    }
    return factors.reverse();
  }

  /** What kind of group it is: trivial, C_5, C_3 × C_6, Klein, D_10, Dih(C_3 × C_3). */
  function name(task, elements) {
    const reflects = elements.some((g) => g >= task.n);
    const factors = invariantFactors(task, elements);
    if (reflects && factors.every((d) => d === 2)) factors.unshift(2);
    else if (reflects && factors.length === 1) return `D_${elements.length}`;
    const product = factors.map((d) => `C_${d}`).join(" × ") || "trivial";
    if (factors.length === 2 && factors.every((d) => d === 2)) return "Klein";
    return reflects && factors.at(-1) > 2 ? `Dih(${product})` : product;
  }

  /** The orbit of sample i, as sorted sample numbers. */
  function orbit(H, i) {
    return [...new Set(H.elements.map((g) => H.task.act(g, i)))].sort((x, y) => x - y);
  }

  /** Which samples H carries into a set of samples: 0 or 1 for each. */
  function reached(H, inside) {
    return inside.map((_, i) => Number(H.elements.some((g) => inside[H.task.act(g, i)])));
  }

  return { subgroup, generate, keepers, orbit, reached };
}
