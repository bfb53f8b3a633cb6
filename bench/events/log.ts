// What the event layer tells while it is measured: warnings and errors reach the one who runs the benchmark.
import type { EventsLog } from "../../src/platform/events/ports.ts";

/** Errors as their message: the progress is read by people. */
const told = (fields: object): string =>
  JSON.stringify(fields, (_, value: unknown) => (value instanceof Error ? value.message : value));

export const benchLog: EventsLog = {
  info: () => undefined,
  warn: (fields, message) => console.error(`warning: ${message} ${told(fields)}`),
  error: (fields, message) => console.error(`error: ${message} ${told(fields)}`),
};
