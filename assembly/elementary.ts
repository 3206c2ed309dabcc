// Elementary functions over arrays.
import { erf_ps, exp_ps, log_ps } from "./math";
import { load_tail, store_tail } from "./simd";

class Exp {
  // @ts-ignore: decorator
  @inline
  of(x: v128): v128 {
    return exp_ps(x);
  }
}

class Log {
  // @ts-ignore: decorator
  @inline
  of(x: v128): v128 {
    return log_ps(x);
  }
}

class Erf {
  // @ts-ignore: decorator
  @inline
  of(x: v128): v128 {
    return erf_ps(x);
  }
}

/** y = F(x) over n elements, y may be x. F is never instantiated: its method is inlined. */
// @ts-ignore: decorator
@inline
function map<F>(n: i32, x: usize, y: usize): void {
  const f = changetype<F>(0);
  let left = n;
  for (; left >= 8; left -= 8) {
    const a = f.of(v128.load(x));
    const b = f.of(v128.load(x, 16));
    v128.store(y, a);
    v128.store(y, b, 16);
    x += 32;
    y += 32;
  }
  for (; left > 0; left -= 4) {
    const v = f.of(left >= 4 ? v128.load(x) : load_tail(x, left));
    if (left >= 4) v128.store(y, v);
    else store_tail(y, v, left);
    x += 16;
    y += 16;
  }
}

/** y = e^x. */
export function exp(n: i32, x: usize, y: usize): void {
  map<Exp>(n, x, y);
}

/** y = natural logarithm of x. */
export function log(n: i32, x: usize, y: usize): void {
  map<Log>(n, x, y);
}

/** y = erf x. */
export function erf(n: i32, x: usize, y: usize): void {
  map<Erf>(n, x, y);
}
