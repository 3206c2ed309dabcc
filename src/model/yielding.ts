// One turn of the event loop, as quickly as the runtime has it.

type Way = (resume: () => void) => void;

/** setTimeout would cost browsers 4 ms a turn. */
const ways: readonly Way[] = [
  (resume) => (globalThis as unknown as { setImmediate: Way }).setImmediate(resume),
  (resume) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resume();
    };
    port2.postMessage(null);
  },
  (resume) => setTimeout(resume, 0),
];

/** Resolves after pending events had their turn. */
export function yieldToEventLoop(): Promise<void> {
  return new Promise((resume) => {
    for (const way of ways) {
      try {
        return way(resume);
      } catch {
        // Not there; or only there to throw, as in Next's edge functions.
      }
    }
  });
}
