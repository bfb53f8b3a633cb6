// Times of requests as the database and JavaScript take them.
import type { Timestamp } from "@bufbuild/protobuf/wkt";

const NANOS_PER_MS = 1_000_000;

/** The millisecond that the time is in. Rounded up, as elsewhere, the last second of the year 9999 would be in a year that nobody can store. */
export const dateOf = ({ seconds, nanos }: Timestamp): Date =>
  new Date(Number(seconds) * 1000 + Math.floor(nanos / NANOS_PER_MS));
