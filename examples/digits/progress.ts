// Progress of a training: a bar on a terminal, else a line an epoch.
import { SingleBar } from "cli-progress";
import type { BatchReport, EpochReport } from "../../src/index.ts";
import { DemoError } from "./options.ts";
import { count, type Terminal } from "./terminal.ts";

export interface Progress {
  onBatch?: (report: BatchReport) => void;
  onEpoch: (report: EpochReport) => void;
  /** Aborts on Ctrl-C, so that stop() can tidy the terminal up. */
  signal?: AbortSignal;
  stop(): void;
}

export function progress(terminal: Terminal, epochs: number, rows: number): Progress {
  return terminal.live ? bar(terminal, epochs, rows) : lines(terminal, epochs);
}

function lines(terminal: Terminal, epochs: number): Progress {
  return {
    onEpoch({ epoch, loss, accuracy = 0, rowsPerSecond }) {
      const position = `epoch ${String(epoch).padStart(String(epochs).length)}/${epochs}`;
      const speed = `${count(rowsPerSecond)} rows/s`;
      terminal.print(`${position}  loss ${loss.toFixed(4)}  accuracy ${accuracy.toFixed(4)}  ${speed}`);
    },
    stop() {},
  };
}

function bar(terminal: Terminal, epochs: number, rows: number): Progress {
  const start = performance.now();
  const text = `epoch {epoch}/${epochs}  loss {loss}  accuracy {accuracy}  {speed} rows/s  {left} s left`;
  const single = new SingleBar({
    format: `${terminal.paint("green", "{bar}")} ${text}`,
    stream: terminal.stream,
    barsize: Math.max(4, Math.min(40, terminal.columns - 78)),
    barCompleteChar: "━",
    barIncompleteChar: "─",
    hideCursor: true,
  });
  const controller = new AbortController();
  const interrupt = () => controller.abort(new DemoError("stopped."));
  let done = 0;
  process.once("SIGINT", interrupt);
  single.start(1, 0, { epoch: 0, loss: "-", accuracy: "-", speed: "-", left: "-" });
  return {
    onBatch({ epoch, batch, batches, loss }) {
      if (done === 0) single.setTotal(epochs * batches);
      done = (epoch - 1) * batches + batch + 1;
      const seconds = (performance.now() - start) / 1000;
      const left = (seconds / done) * (epochs * batches - done);
      const speed = count(((done / batches) * rows) / seconds);
      single.update(done, { epoch, loss: loss.toFixed(4), speed, left: left.toFixed(1) });
    },
    onEpoch({ loss, accuracy = 0 }) {
      single.update({ loss: loss.toFixed(4), accuracy: accuracy.toFixed(4) });
    },
    signal: controller.signal,
    stop() {
      process.off("SIGINT", interrupt);
      single.stop();
    },
  };
}
