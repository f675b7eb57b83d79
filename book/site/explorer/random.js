/**
 * The random numbers of torch.Generator on the CPU, the Mersenne Twister mt19937 of Matsumoto and
 * Nishimura, and torch.randperm made of them: one seed means one permutation, here and in rfm.
 */
function rfmRandom() {
  "use strict";
  const SIZE = 624, SHIFT = 397, UPPER = 0x80000000, LOWER = 0x7fffffff;
  const LARGEST_SEED = 2 ** 32 - 1; // torch takes larger ones and keeps their last 32 bits

  /** A function that returns the next 32 random bits. */
  function generator(seed) {
    if (!Number.isInteger(seed) || seed < 0 || seed > LARGEST_SEED) {
      throw new Error(`a seed must be a whole number from 0 to ${LARGEST_SEED}, not ${seed}`);
    }
    const state = new Uint32Array(SIZE);
    let next = SIZE;
    state[0] = seed;
    for (let i = 1; i < SIZE; i++) {
      state[i] = Math.imul(1812433253, state[i - 1] ^ (state[i - 1] >>> 30)) + i;
    }

    function twist() {
      for (let i = 0; i < SIZE; i++) {
        const y = (state[i] & UPPER) | (state[(i + 1) % SIZE] & LOWER);
        state[i] = state[(i + SHIFT) % SIZE] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
      }
      next = 0;
    }

    return () => {
      if (next === SIZE) twist();
      let y = state[next++];
      y ^= y >>> 11;
      y ^= (y << 7) & 0x9d2c5680;
      y ^= (y << 15) & 0xefc60000;
      return (y ^ (y >>> 18)) >>> 0;
    };
  }

  /** A permutation of 0, …, count−1 as torch.randperm draws it with this seed. */
  function randperm(count, seed) {
    const draw = generator(seed), order = Int32Array.from({ length: count }, (_, i) => i);
    for (let i = 0; i < count - 1; i++) {
      const j = i + draw() % (count - i);
      [order[i], order[j]] = [order[j], order[i]];
    }
    return order;
  }

  return { generator, randperm };
}
