// Statements of one transaction that are sent together and run one after the other: one round trip.

/** SQLSTATE in_failed_sql_transaction: said of every statement after the one that failed. */
const TRANSACTION_FAILED = "25P02";

type Results<T extends readonly unknown[]> = { -readonly [P in keyof T]: Awaited<T[P]> };

/**
 * As Promise.all, but waits for all of them, and throws what broke the transaction: of the statements behind it, which fail
 * for no reason of their own, one may be heard of first, and would be taken for a bug.
 */
export async function together<T extends readonly unknown[] | []>(
  statements: T,
): Promise<Results<T>> {
  // Awaited once: the query builder's statements run as often as somebody asks for their result.
  const all = statements.map(async (statement) => await statement);
  const ends = await Promise.allSettled(all);
  const thrown = ends.flatMap((end) => (end.status === "rejected" ? [end.reason as unknown] : []));
  if (thrown.length === 0) return (await Promise.all(all)) as unknown as Awaited<Results<T>>;
  throw thrown.find((error) => !isOfAnother(error)) ?? thrown[0];
}

/** The query builder wraps the driver's error. */
const isOfAnother = (error: unknown): boolean =>
  error instanceof Error &&
  [error, error.cause].some(
    (one) => (one as { code?: unknown } | undefined)?.code === TRANSACTION_FAILED,
  );
