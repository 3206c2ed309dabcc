// Who is there and for what, to be known before anything is installed.
export { contestants } from "./contestants.ts";
export { competes, workloads } from "./workloads.ts";
