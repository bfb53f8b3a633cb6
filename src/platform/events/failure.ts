// What is told of an error: to the log and to the row of a dead event.
import { DrizzleQueryError } from "drizzle-orm";

/** Of a stack trace, no more than this is stored. */
const STACK_LIMIT_CHARACTERS = 8192;

/**
 * The error below the wrapping of the query builder, whose message repeats the parameters of the query: they may be
 * personal data, which no log gets.
 */
export function underlying(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  return error instanceof DrizzleQueryError && error.cause !== undefined ? error.cause : error;
}

/** The error with its stack, as text that PostgreSQL can store. */
export function errorText(error: unknown): string {
  const { name, message, stack } = underlying(error);
  return storable(stack ?? `${name}: ${message}`);
}

/** Text that PostgreSQL can store: it knows no NUL. */
export const storable = (text: string): string =>
  text.replaceAll("\0", "\uFFFD").slice(0, STACK_LIMIT_CHARACTERS);
