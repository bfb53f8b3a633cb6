// Statements of one transaction that are sent together and run one after the other: one round trip.

/** SQLSTATE in_failed_sql_transaction: said of every statement after the one that failed. */
const TRANSACTION_FAILED = "25P02";

/**
 * Waits for all of them. Throws what broke the transaction, not what it did to the statements behind: those may be heard of first.
 */
export async function together<T extends readonly unknown[]>(
  statements: readonly [...{ [K in keyof T]: PromiseLike<T[K]> | T[K] }],
): Promise<T> {
  const ends = await Promise.allSettled(statements);
  const thrown = ends.flatMap((end) => (end.status === "rejected" ? [end.reason as unknown] : []));
  const cause = thrown.find((error) => !isOfFailed(error)) ?? thrown[0];
  if (cause !== undefined) throw cause;
  return ends.map((end) => (end.status === "fulfilled" ? end.value : undefined)) as unknown as T;
}

/** The query builder wraps the driver's error. */
const isOfFailed = (error: unknown): boolean =>
  error instanceof Error &&
  [error, error.cause].some(
    (one) => (one as { code?: unknown } | undefined)?.code === TRANSACTION_FAILED,
  );
