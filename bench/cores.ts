// How much of the cores that some work wanted was there for it.
import { cpus } from "node:os";

/** Starts watching. The function that it returns gives the part of `lanes` cores that nobody else took since. A lane may
 *  leave its core idle (steps too small for two stay on one), so idle time counts as there. */
export function watchCores(lanes: number): () => number {
  const [start, used, idle] = [performance.now(), process.cpuUsage(), idleTime()];
  return () => {
    const elapsed = performance.now() - start;
    const { user, system } = process.cpuUsage(used);
    const own = (user + system) / 1000;
    const free = idleTime() - idle;
    return Math.min(elapsed, own, (own + free) / Math.min(lanes, cpus().length)) / elapsed;
  };
}

/** Milliseconds, of all cores together. */
const idleTime = (): number => cpus().reduce((sum, { times }) => sum + times.idle, 0);
