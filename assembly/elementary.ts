// Elementary functions over n elements, y may be x. NaN gives NaN.
// Errors: the worst of all f32 in the strict build, by scripts/ulp.mjs --full.
import { ERF, exponential } from "./exponential";
import { map_compact } from "./map";
import { log_ps } from "./math";
import { exp_rows } from "./rows";

class Log {
  // @ts-ignore: decorator
  @inline
  of(x: v128, _p: v128, _q: v128): v128 {
    return log_ps(x);
  }
}

/** y = e^x. Overflows to Inf, underflows gradually.
 *  Error: <= 0.992 ulp. */
export function exp(n: i32, x: usize, y: usize): void {
  memory.copy(y, x, (n as usize) << 2);
  exp_rows(1, n, y, 0);
}

/** y = natural logarithm of x. log(0) = -Inf, log(x < 0) = NaN.
 *  Error: <= 0.853 ulp. */
export function log(n: i32, x: usize, y: usize): void {
  map_compact<Log>(n, x, y);
}

/** y = erf x.
 *  Error: <= 1.76 ulp. */
export function erf(n: i32, x: usize, y: usize): void {
  exponential(ERF, n, x, 0, y, 0, 0);
}
