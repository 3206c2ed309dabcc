// @ts-check
// When this process is to end before it is done.

/** Calls `stop` at SIGINT and SIGTERM, perhaps more than once, and when whoever started it for npm has ended: npm gives
 *  its signal to a shell, which ends without passing it on.
 *  @param {(signal: "SIGINT" | "SIGTERM") => void} stop */
export function whenStopped(stop) {
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM"])) process.on(signal, () => stop(signal));
  if (!process.env.npm_lifecycle_event) return;
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) stop("SIGTERM");
  }, 500).unref();
}
