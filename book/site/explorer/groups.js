/**
 * Finite Abelian groups A of order n, as tables on the positions 0, …, n−1 of their elements.
 * The same as rfm.cyclic and rfm.units.
 *
 * A group is {order, moduli, name, values, logarithm, table, inverses, orders, identity}:
 * `values` are the elements as rfm prints them, table[a * n + b] is the position of a ⋆ b.
 */
function rfmGroups() {
  "use strict";

  /** The group with this logarithm, an isomorphism to the product of Z_m over the moduli. */
  function group(moduli, logarithm, values, name) {
    const n = moduli.reduce((product, m) => product * m, 1);
    const exponential = new Int32Array(n);
    logarithm.forEach((l, position) => exponential[l] = position);
    const digits = Array.from(logarithm, (l) => mixedRadix(l, moduli));
    const table = new Int32Array(n * n), inverses = new Int32Array(n), orders = new Int32Array(n);
    for (let a = 0; a < n; a++) {
      for (let b = 0; b < n; b++) {
        const sum = moduli.map((m, i) => (digits[a][i] + digits[b][i]) % m);
        table[a * n + b] = exponential[number(sum, moduli)];
      }
      inverses[a] = exponential[number(moduli.map((m, i) => (m - digits[a][i]) % m), moduli)];
      orders[a] = moduli.map((m, i) => m / gcd(m, digits[a][i])).reduce(lcm, 1);
    }
    const identity = exponential[0];
    return { order: n, moduli, name, values, logarithm, table, inverses, orders, identity };
  }

  /** Z_{n₁} × … × Z_{n_k} under addition. */
  function cyclic(moduli) {
    const n = moduli.reduce((product, m) => product * m, 1);
    const values = Array.from({ length: n }, (_, i) => {
      const digits = mixedRadix(i, moduli);
      return digits.length === 1 ? `${digits[0]}` : `(${digits.join(", ")})`;
    });
    const name = moduli.map((m) => `Z_${m}`).join(" × ");
    return group(moduli, Int32Array.from(values.keys()), values, name);
  }

  /** 1, …, p−1 modulo a prime p under multiplication, logarithms to the smallest generator. */
  function units(p) {
    const logarithm = new Int32Array(p - 1), root = primitiveRoot(p);
    for (let exponent = 0, power = 1; exponent < p - 1; exponent++) {
      logarithm[power - 1] = exponent;
      power = power * root % p;
    }
    const values = Array.from(logarithm, (_, i) => `${i + 1}`);
    return group([p - 1], logarithm, values, `Z_${p}^×`);
  }

  /** The prime powers of m, as [[p, e], …]. */
  function factorise(m) {
    const found = [];
    for (let p = 2; m > 1; p++) {
      let e = 0;
      for (; m % p === 0; m /= p) e++;
      if (e) found.push([p, e]);
    }
    return found;
  }

  const isPrime = (p) => Number.isInteger(p) && p > 1 && factorise(p)[0][0] === p;

  function primitiveRoot(p) {
    for (let root = 1;; root++) {
      let order = 1;
      for (let power = root % p; power !== 1; power = power * root % p) order++;
      if (order === p - 1) return root;
    }
  }

  /** Digits of a number in mixed radix, the last running fastest. */
  function mixedRadix(number, moduli) {
    const digits = moduli.map(() => 0);
    for (let i = moduli.length - 1; i >= 0; i--) {
      digits[i] = number % moduli[i];
      number = Math.floor(number / moduli[i]);
    }
    return digits;
  }

  const number = (digits, moduli) => digits.reduce((sum, digit, i) => sum * moduli[i] + digit, 0);
  const gcd = (a, b) => b ? gcd(b, a % b) : a;
  const lcm = (a, b) => a / gcd(a, b) * b;

  return { cyclic, units, factorise, isPrime };
}
