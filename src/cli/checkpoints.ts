// A training's file: written at times while it goes on, at its end, and when it is interrupted.
import type { Model } from "../index.ts";
import { saveFile } from "../node.ts";
import { readable } from "./files.ts";
import { type KeptModel, keep } from "./settings.ts";

export class Checkpoints {
  private readonly model: Model;
  private readonly kept: KeptModel;
  private readonly path: string | undefined;
  private readonly milliseconds: number;
  private last = performance.now();

  /** Without a path nothing is written. Units: seconds between two writes; 0: after each step. */
  constructor(model: Model, kept: KeptModel, path: string | undefined, seconds: number) {
    this.model = model;
    this.kept = kept;
    this.path = path;
    this.milliseconds = 1000 * seconds;
  }

  /** Writes when it is time; nothing to wait for else. */
  due(): Promise<void> | undefined {
    return performance.now() - this.last >= this.milliseconds ? this.write() : undefined;
  }

  async write(): Promise<void> {
    keep(this.model, this.kept);
    const { path } = this;
    if (path !== undefined) await readable(path, () => saveFile(this.model, path));
    this.last = performance.now();
  }
}
