// What the sandbox remembers: an append-only journal of JSON lines, one line for each change of state.
import {
  appendFileSync,
  closeSync,
  createReadStream,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
} from "node:fs";
import { dirname } from "node:path";
import { createInterface } from "node:readline";

/** Kind, ID, value and the time of writing (ms since 1970): a later entry of the same kind and ID replaces it, with null it ends it. */
type Entry = [kind: string, id: string, value: unknown, time: number];
type Stored = Map<string, { value: unknown; time: number }>;

/** Entries written by one line when the journal is compacted, so that no line gets too long to read. */
const COMPACTION_BATCH_ENTRIES = 200;

/** The records of one kind by their ID, in the order of creation. */
export interface Collection<T> {
  readonly get: (id: string) => T | undefined;
  /** May only be called inside `Journal.change`. */
  readonly put: (id: string, value: T) => void;
  /** May only be called inside `Journal.change`. */
  readonly forget: (id: string) => void;
  readonly values: () => T[];
}

export interface Journal extends Disposable {
  collection<T>(kind: string): Collection<T>;
  /** Runs `work` and writes all that it put as one line: a crash leaves the whole change or nothing of it. */
  change<T>(work: () => T): T;
}

export interface JournalOptions {
  readonly file: string;
  /** How long after it was last put a record of a kind is forgotten; other kinds are kept for good. */
  readonly lifetimesMs: Readonly<Record<string, number>>;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

/** Opens the journal, drops what is superseded or outlived, and goes on writing at its end. */
export async function openJournal(options: JournalOptions): Promise<Journal> {
  mkdirSync(dirname(options.file), { recursive: true });
  const kinds = await readEntries(options.file);
  for (const [kind, stored] of kinds)
    dropOutlived(stored, options.lifetimesMs[kind], options.clock());
  return journalOf(kinds, compact(options.file, kinds), options);
}

function journalOf(kinds: Map<string, Stored>, file: number, options: JournalOptions): Journal {
  let pending: Entry[] | undefined;
  return {
    collection<T>(kind: string): Collection<T> {
      const stored = storedOf(kinds, kind);
      const lifetimeMs = options.lifetimesMs[kind];
      return {
        get(id) {
          dropOutlived(stored, lifetimeMs, options.clock());
          // The journal is our own file: what stands in it under this kind was put there as a T.
          return stored.get(id)?.value as T | undefined;
        },
        put(id, value) {
          if (pending === undefined) throw new Error(`${kind} ${id} was put outside a change`);
          const time = options.clock();
          if (lifetimeMs !== undefined) stored.delete(id);
          stored.set(id, { value, time });
          pending.push([kind, id, value, time]);
        },
        forget(id) {
          if (pending === undefined)
            throw new Error(`${kind} ${id} was forgotten outside a change`);
          if (stored.delete(id)) pending.push([kind, id, null, options.clock()]);
        },
        values() {
          dropOutlived(stored, lifetimeMs, options.clock());
          return Array.from(stored.values(), (entry) => entry.value as T);
        },
      };
    },
    change(work) {
      if (pending !== undefined) throw new Error("a change inside a change");
      const entries: Entry[] = [];
      pending = entries;
      try {
        return work();
      } finally {
        pending = undefined;
        if (entries.length > 0) appendFileSync(file, line(entries));
      }
    },
    [Symbol.dispose]() {
      fsyncSync(file);
      closeSync(file);
    },
  };
}

const line = (entries: readonly Entry[]): string => `${JSON.stringify(entries)}\n`;

function storedOf(kinds: Map<string, Stored>, kind: string): Stored {
  const stored: Stored = kinds.get(kind) ?? new Map();
  kinds.set(kind, stored);
  return stored;
}

/** Records with a lifetime stand in the order of their last put, so the outlived ones are the first. */
function dropOutlived(stored: Stored, lifetimeMs: number | undefined, now: number): void {
  if (lifetimeMs === undefined) return;
  for (const [id, { time }] of stored) {
    if (time + lifetimeMs > now) return;
    stored.delete(id);
  }
}

async function readEntries(file: string): Promise<Map<string, Stored>> {
  const kinds = new Map<string, Stored>();
  if (!existsSync(file)) return kinds;
  let damaged: number | undefined;
  let number = 0;
  for await (const text of createInterface({
    input: createReadStream(file),
    crlfDelay: Infinity,
  })) {
    number += 1;
    if (damaged !== undefined)
      throw new Error(`${file} is damaged at line ${damaged}: remove it to start afresh.`);
    const entries = parseLine(text);
    if (entries === undefined) damaged = number;
    for (const [kind, id, value, time] of entries ?? []) {
      const stored = storedOf(kinds, kind);
      if (value === null) stored.delete(id);
      else stored.set(id, { value, time });
    }
  }
  return kinds;
}

/** Undefined for a line that a crash cut off, which only the last one can be: nobody was told of its change. */
function parseLine(text: string): Entry[] | undefined {
  try {
    return JSON.parse(text) as Entry[];
  } catch {
    return undefined;
  }
}

/** Writes a fresh journal of the living records beside the old one, and puts it in its place. */
function compact(file: string, kinds: Map<string, Stored>): number {
  const fresh = openSync(`${file}.new`, "w");
  for (const [kind, stored] of kinds) {
    const entries = Array.from(stored, ([id, { value, time }]): Entry => [kind, id, value, time]);
    for (let start = 0; start < entries.length; start += COMPACTION_BATCH_ENTRIES) {
      appendFileSync(fresh, line(entries.slice(start, start + COMPACTION_BATCH_ENTRIES)));
    }
  }
  fsyncSync(fresh);
  renameSync(`${file}.new`, file);
  return fresh;
}
