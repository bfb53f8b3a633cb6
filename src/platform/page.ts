// Pages of a list (AIP-158): sizes and opaque tokens.
import { Refusal } from "./refusal.ts";

export const DEFAULT_PAGE_SIZE = 50;
export const MAX_PAGE_SIZE = 100;

/** What a request's page_size means: 0 is the default, more than the limit is the limit. */
export const pageSizeOf = (requested: number): number =>
  requested === 0 ? DEFAULT_PAGE_SIZE : Math.min(requested, MAX_PAGE_SIZE);

/** One row more than the page is asked of the database: whether there is a next page. */
export function cutPage<Row>(
  rows: readonly Row[],
  size: number,
  key: (row: Row) => string,
  filter: string,
) {
  const page = rows.slice(0, size);
  const last = page.at(-1);
  const nextPageToken =
    rows.length > size && last !== undefined ? pageToken(key(last), filter) : "";
  return { page, nextPageToken };
}

/** A token for the page after `last`, the sort key of a row; valid only with the same `filter`. */
const pageToken = (last: string, filter: string): string =>
  Buffer.from(JSON.stringify([last, filter])).toString("base64url");

/** The form of a sort key that is an ID. */
export const ID_KEY = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The sort key in a token. Refuses a token that is not ours, or is of another filter. */
export function readPageToken(token: string, filter: string, key: RegExp): string | undefined {
  if (token === "") return undefined;
  const parts = parse(token);
  if (
    !Array.isArray(parts) ||
    typeof parts[0] !== "string" ||
    parts[1] !== filter ||
    !key.test(parts[0])
  ) {
    throw new Refusal(
      "invalid_argument",
      "page_token must be the next_page_token of a page of this same list, with the same filters",
      { field: "page_token" },
    );
  }
  return parts[0];
}

function parse(token: string): unknown {
  try {
    return JSON.parse(Buffer.from(token, "base64url").toString());
  } catch {
    return undefined;
  }
}
