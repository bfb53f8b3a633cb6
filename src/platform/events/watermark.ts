// Which offset may be committed: the first one of a batch that is not done, however the rest finished.

export class Watermark {
  readonly #offsets: readonly bigint[];
  readonly #done = new Set<bigint>();
  #place = 0;

  /** The offsets of the batch in their order; gaps are no fault. */
  constructor(offsets: readonly bigint[]) {
    this.#offsets = offsets;
  }

  done(offset: bigint): void {
    this.#done.add(offset);
  }

  /** The offset to commit. Undefined: nothing from the front of the batch is done. */
  next(): bigint | undefined {
    for (;;) {
      const offset = this.#offsets[this.#place];
      if (offset === undefined || !this.#done.delete(offset)) break;
      this.#place += 1;
    }
    const last = this.#offsets[this.#place - 1];
    return last === undefined ? undefined : last + 1n;
  }
}
