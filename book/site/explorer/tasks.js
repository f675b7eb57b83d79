/**
 * Learning tasks: the table of an operation a ∘ b = a ⋆ τ(b), and its symmetry group Dih(A).
 * The same as rfm.addition, rfm.subtraction, rfm.multiplication, rfm.division and rfm.Symmetry.
 *
 * Sample number i = a·n + b is the pair (a, b) of positions. A symmetry is its number g in
 * task.symmetries: the rotation r^k is g = k, the reflection sr^k is g = n + k.
 */
function rfmTasks(groups) {
  "use strict";
  const MOST = 25; // elements of the group, which the page can draw and compute with
  const SYMBOLS = { "+": "+", "-": "−", "−": "−", "×": "×", "÷": "÷" };
  const PYTHON = { "+": "addition", "−": "subtraction", "×": "multiplication", "÷": "division" };

  /**
   * @param {{operation: string, orders: number[]}} setting one of + - × ÷; the orders n₁, …, n_k
   *     of the cyclic factors, or the one prime of × and ÷.
   * @returns a task, see engine.js; an Error says what is not allowed.
   */
  function makeTask({ operation, orders }) {
    const symbol = SYMBOLS[operation];
    if (!symbol) throw new Error(`the operation must be one of + − × ÷, not ${operation}`);
    const group = groupOf(symbol, orders), n = group.order;
    const direct = symbol === "+" || symbol === "×";
    const twist = direct ? Int32Array.from(group.values.keys()) : group.inverses;
    const product = (a, b) => group.table[a * n + b];
    const multiplicative = symbol === "×" || symbol === "÷";
    const modulus = orders.length === 1 ? `${orders[0]}` : `(${orders.join(", ")})`;

    /** The sample that g makes of sample i: r^k (a, b′) = (a ⋆ k, b′ ⋆ k⁻¹), sr^k swaps these. */
    function act(g, i) {
      const k = g % n, a = Math.floor(i / n), b = twist[i % n];
      const forward = product(k, a), backward = product(group.inverses[k], b);
      return g < n ? forward * n + twist[backward] : backward * n + twist[forward];
    }

    /** gh: first h, then g. */
    function compose(g, h) {
      const k = h < n ? g % n : group.inverses[g % n];
      return product(k, h % n) + ((g < n) === (h < n) ? 0 : n);
    }

    /** Where g sends each of the 2n coordinates of a one-hot pair. */
    function coordinates(g) {
      const images = new Int32Array(2 * n);
      for (let i = 0; i < n; i++) {
        const image = act(g, i * n + i), first = Math.floor(image / n), second = image % n;
        images[i] = g < n ? first : n + second;
        images[n + i] = g < n ? n + second : first;
      }
      return images;
    }

    const label = new Int32Array(n * n), mirror = new Int32Array(n * n);
    for (let i = 0; i < n * n; i++) {
      const a = Math.floor(i / n), b = twist[i % n];
      label[i] = product(a, b);
      mirror[i] = product(group.inverses[a], b); // the k of the one sr^k that fixes (a, b)
    }
    const symmetries = Array.from({ length: 2 * n }, (_, g) => {
      const k = g % n, s = g < n ? "" : "s", power = `${s}r^${group.values[k]}`;
      return { g, k, reflects: g >= n, name: k === group.identity ? s || "id" : power };
    });
    return {
      operation: symbol,
      orders: [...orders],
      name: `x ${symbol} y mod ${modulus}`,
      python: `rfm.${PYTHON[symbol]}(${orders.join(", ")})`,
      group,
      n,
      values: group.values,
      identity: group.identity,
      multiplicative,
      twist,
      label,
      mirror,
      symmetries,
      act,
      compose,
      inverse: (g) => g < n ? group.inverses[g] : g,
      coordinates,
      pair: (i) => `(${group.values[Math.floor(i / n)]}, ${group.values[i % n]})`,
    };
  }

  function groupOf(symbol, orders) {
    const whole = Array.isArray(orders) && orders.length > 0 && orders.every(Number.isInteger);
    if (!whole) throw new Error("the modulus must be a whole number, or several for a product");
    if (symbol === "×" || symbol === "÷") {
      const [p] = orders;
      if (orders.length > 1 || p < 3 || !groups.isPrime(p)) {
        throw new Error(`${symbol} needs one odd prime modulus, not ${orders.join(", ")}`);
      }
      if (p - 1 > MOST) throw new Error(`the modulus of ${symbol} can be up to 23 here, not ${p}`);
      return groups.units(p);
    }
    const small = orders.find((m) => m < 2);
    if (small !== undefined) throw new Error(`a modulus must be at least 2, not ${small}`);
    const n = orders.reduce((product, m) => product * m, 1);
    if (n > MOST) throw new Error(`the group can have up to ${MOST} elements here, not ${n}`);
    return groups.cyclic([...orders]);
  }

  return { makeTask, MOST };
}
