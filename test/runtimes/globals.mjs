// What the global objects hold, noted when this module is evaluated: imported first, it sees whether importing the
// package changed any.

// Looking makes some runtimes fill in what they keep for later; and some answer anew each time.
snapshot();
const before = snapshot();
const unsteady = new Set(differences(before, snapshot()));

/** Properties with their values and accessors: of globalThis, of every global function and of its prototype. */
function snapshot() {
  const seen = new Map([["globalThis", Object.getOwnPropertyDescriptors(globalThis)]]);
  for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(globalThis))) {
    if (typeof value !== "function" && name !== "Math" && name !== "WebAssembly") continue;
    seen.set(name, Object.getOwnPropertyDescriptors(value));
    if (value.prototype) seen.set(`${name}.prototype`, Object.getOwnPropertyDescriptors(value.prototype));
  }
  return seen;
}

/** Names of what is new, gone or another. */
function differences(before, after) {
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((name) => {
    const [old, now] = [before.get(name) ?? {}, after.get(name) ?? {}];
    const keys = new Set([...Reflect.ownKeys(old), ...Reflect.ownKeys(now)]);
    return [...keys].filter((key) => !isSame(old[key], now[key])).map((key) => `${name}.${String(key)}`);
  });
}

/** @param {PropertyDescriptor | undefined} a @param {PropertyDescriptor | undefined} b */
function isSame(a, b) {
  return ["value", "get", "set", "writable", "enumerable", "configurable"].every((key) =>
    Object.is(a?.[key], b?.[key]),
  );
}

/** Throws naming what importing changed. */
export function assertGlobalsUntouched() {
  const changed = differences(before, snapshot()).filter((name) => !unsteady.has(name));
  if (changed.length > 0) throw new Error(`Importing the package changed ${changed.join(", ")}.`);
}
