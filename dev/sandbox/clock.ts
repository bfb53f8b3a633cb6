// The sandbox's clock: the machine's, which a test may move forward. It stays moved over a restart.
import type { Journal } from "./journal.ts";

const OFFSET = "offset_ms";

export interface Clock {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Goes on from what an earlier run was moved to. */
  readonly bind: (journal: Journal) => void;
  readonly advance: (byMs: number) => void;
}

/** `machine`: milliseconds since 1970. */
export function createClock(machine: () => number): Clock {
  let offsetMs = 0;
  let save = (): void => undefined;
  return {
    now: () => machine() + offsetMs,
    bind(journal) {
      const stored = journal.collection<number>("clock");
      offsetMs = stored.get(OFFSET) ?? 0;
      save = () => journal.change(() => stored.put(OFFSET, offsetMs));
    },
    advance(byMs) {
      offsetMs += byMs;
      save();
    },
  };
}
