// Works on several due rows at once, so that none of them waits for another, or fails with it.
import type { Log } from "../platform/log.ts";
import { isTransient } from "../platform/transient.ts";

/** An error is told, and its row is due again when its lease ends. */
export async function eachAlone<Row extends { readonly id: string }>(
  log: Log,
  rows: readonly Row[],
  work: (row: Row) => Promise<void>,
): Promise<void> {
  await Promise.all(
    rows.map(async (row) => {
      try {
        await work(row);
      } catch (error) {
        if (isTransient(error)) log.warn({ id: row.id, error }, "will be tried again");
        else log.error({ id: row.id, error }, "failed; will be tried again");
      }
    }),
  );
}
