// Elementary functions over arrays.
import { map } from "./map";
import { erf_ps, exp_ps, log_ps } from "./math";

class Exp {
  // @ts-ignore: decorator
  @inline
  of(x: v128, _p: v128): v128 {
    return exp_ps(x);
  }
}

class Log {
  // @ts-ignore: decorator
  @inline
  of(x: v128, _p: v128): v128 {
    return log_ps(x);
  }
}

class Erf {
  // @ts-ignore: decorator
  @inline
  of(x: v128, _p: v128): v128 {
    return erf_ps(x);
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
