// Rewrites the source of a module: an exact piece of it is replaced by another. A piece that is not there is an error.

/** One replacement. The anchor must be in the file exactly once, so that a plant cannot rot unnoticed. */
export interface Edit {
  /** From the root of the repository: "src/platform/events/relay.ts". */
  readonly file: string;
  readonly anchor: string;
  readonly by: string;
}

/** @throws an Error that names the file and the anchor when it is not there exactly once */
export function edited(source: string, edits: readonly Edit[]): string {
  let text = source;
  for (const { file, anchor, by } of edits) {
    const found = text.split(anchor).length - 1;
    if (found !== 1) {
      throw new Error(
        `The anchor of a plant is in ${file} ${found} times, not once. Move it with the code: ${anchor}`,
      );
    }
    text = text.replace(anchor, () => by);
  }
  return text;
}
