// Stripe's lists: newest first, filtered by time of creation, paged by the ID of an object.
import { type Form, groupOf, textOf } from "../form.ts";
import { refuseUnknown } from "./parameters.ts";
import { badParameter, missing } from "./refusal.ts";

/** https://docs.stripe.com/api/pagination */
const MAX_LIMIT = 100;
const DEFAULT_LIMIT = 10;

interface Listed {
  readonly id: string;
  readonly created: number;
}

export interface Page<T> {
  readonly data: readonly T[];
  readonly hasMore: boolean;
}

/** Refuses filters that a list does not have. */
export const readListed = (query: Form, filters: readonly string[]): void =>
  refuseUnknown(query, [...filters, "limit", "created", "ending_before", "starting_after"]);

/** `all` is in the order of creation, oldest first. */
export function pageOf<T extends Listed>(
  all: readonly T[],
  query: Form,
  accepts: (item: T) => boolean,
): Page<T> {
  const limit = readLimit(query);
  const inRange = createdFilter(query);
  const items = all.filter((item) => inRange(item.created) && accepts(item)).toReversed();
  const before = textOf(query, "ending_before");
  if (before !== undefined) {
    const newer = items.slice(0, cursor(all, items, before));
    return { data: newer.slice(-limit), hasMore: newer.length > limit };
  }
  const after = textOf(query, "starting_after");
  const older =
    after === undefined
      ? items
      : items.slice(cursor(all, items, after)).filter(({ id }) => id !== after);
  return { data: older.slice(0, limit), hasMore: older.length > limit };
}

/** Where the object of the cursor stands among the items, or would stand if the filters let it. */
function cursor<T extends Listed>(all: readonly T[], items: readonly T[], id: string): number {
  const position = all.findIndex((item) => item.id === id);
  if (position < 0) throw missing(400, "object", id, "cursor");
  const positions = new Map(all.map((item, index) => [item.id, index]));
  const index = items.findIndex((item) => (positions.get(item.id) ?? 0) <= position);
  return index < 0 ? items.length : index;
}

function readLimit(query: Form): number {
  const text = textOf(query, "limit");
  if (text === undefined) return DEFAULT_LIMIT;
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= MAX_LIMIT) return limit;
  throw badParameter(
    "limit",
    "parameter_invalid_integer",
    `Invalid limit: it must be from 1 to ${MAX_LIMIT}.`,
  );
}

function createdFilter(query: Form): (created: number) => boolean {
  const exact = textOf(query, "created");
  if (exact !== undefined) return (created) => created === Number(exact);
  const range = groupOf(query, "created");
  const bound = (name: string, otherwise: number): number =>
    Number(textOf(range, name) ?? otherwise);
  const [gt, gte] = [bound("gt", -Infinity), bound("gte", -Infinity)];
  const [lt, lte] = [bound("lt", Infinity), bound("lte", Infinity)];
  return (created) => created > gt && created >= gte && created < lt && created <= lte;
}
