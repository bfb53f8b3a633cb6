// Tells that an insert met a row that is there already.

/** SQLSTATE unique_violation. https://www.postgresql.org/docs/current/errcodes-appendix.html */
const UNIQUE_VIOLATION = "23505";

/** True where the error, or what it wraps, is the violation of this unique index or primary key. */
export function violatesUnique(error: unknown, index: string): boolean {
  if (typeof error !== "object" || error === null) return false;
  const { code, constraint_name: constraint } = error as {
    code?: unknown;
    constraint_name?: unknown;
  };
  if (code === UNIQUE_VIOLATION && constraint === index) return true;
  return "cause" in error && violatesUnique(error.cause, index);
}
