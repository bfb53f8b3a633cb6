// The Kafka client library itself: whether it has its patch, and what of its own log is worth telling.
import { createRequire } from "node:module";
import type { EventsLog } from "./ports.ts";

const SAME_LOG_EVERY_MS = 30_000;
const LOG_TEXTS_LIMIT = 100;

/** The part of the library's log entry that is told. */
interface LibraryLogEntry {
  readonly namespace: string;
  readonly log: { readonly message: string; readonly [field: string]: unknown };
}

/**
 * What the library calls an error is mostly a retry of its own, many a second while a broker is away: each text is
 * logged now and then. What comes of it, the callers log.
 */
export function libraryLog(log: EventsLog): (entry: LibraryLogEntry) => void {
  const told = new Map<string, number>();
  return ({ namespace, log: entry }) => {
    const { message } = entry;
    const now = performance.now();
    if (now - (told.get(message) ?? -Infinity) < SAME_LOG_EVERY_MS) return;
    if (told.size >= LOG_TEXTS_LIMIT) told.clear();
    told.set(message, now);
    log.warn(
      { namespace, error: entry["error"], groupId: entry["groupId"] },
      `kafkajs: ${message}`,
    );
  };
}

/** Unpatched, every idle connection of the library sets some thousand timers a second. */
export function requirePatch(): void {
  const queue: unknown = createRequire(import.meta.url)(
    "kafkajs/src/network/requestQueue/index.js",
  );
  const check: unknown =
    typeof queue === "function" ? Reflect.get(queue.prototype, "scheduleCheckPendingRequests") : 0;
  const idle: {
    pending: never[];
    throttledUntil: number;
    throttleCheckTimeoutId: NodeJS.Timeout | null;
  } = {
    pending: [],
    throttledUntil: -1,
    throttleCheckTimeoutId: null,
  };
  if (typeof check === "function") Reflect.apply(check, idle, []);
  if (typeof check === "function" && idle.throttleCheckTimeoutId === null) return;
  clearTimeout(idle.throttleCheckTimeoutId ?? undefined);
  throw new Error(
    "kafkajs is not patched: run `npm ci` without --ignore-scripts, which applies patches/ to it.",
  );
}
