// Where a read of the outbox may begin, so that it does not walk over the dead rows of all that was sent before it.

/**
 * IDs are taken before the commit, so a row can appear below one that was sent already. So far below the last sent
 * ID the reads begin: most of those that come late are found by the way, the others by a look of their own.
 */
const MARGIN_IDS = 2_000n;
/** How often the outbox is looked through for rows below the hint: the rest between two looks is this, and more when they take long. */
const LOOK_EVERY_MS = 1_000;
/** Of the time no more than one part in so many is spent on looks. */
const LOOK_SHARE = 20;

export interface ReadHint {
  /** The ID below which, and at which, the next read looks for nothing. */
  takeAfter(): bigint;
  /** Everything up to this ID was read and, but for what came late, sent. */
  sent(lastId: bigint): void;
  /** There is a row with this ID, at or below the hint: the next read begins with it. */
  foundLate(id: bigint): void;
  /** Runs a look for what came late, when it is time for one and none is running. It must not throw. */
  look(work: () => Promise<void>): void;
  /** Shards are new here: their rows were never read. */
  forget(): void;
}

/**
 * A hint, not a cursor: it saves time and decides nothing. A read that begins behind it skips every row whose key
 * still has a row at or below it, so the order of a key holds whatever the hint is.
 */
export function createReadHint(clock: () => number = () => performance.now()): ReadHint {
  let hint = 0n;
  let late: bigint | undefined;
  let nextLook = clock() + LOOK_EVERY_MS;
  return {
    takeAfter() {
      const after = late !== undefined && late - 1n < hint ? late - 1n : hint;
      late = undefined;
      return after;
    },
    sent(lastId) {
      if (lastId - MARGIN_IDS > hint) hint = lastId - MARGIN_IDS;
    },
    foundLate(id) {
      if (late === undefined || id < late) late = id;
    },
    look(work) {
      const began = clock();
      if (hint === 0n || began < nextLook) return;
      nextLook = Infinity;
      void work().finally(() => {
        const took = clock() - began;
        nextLook = clock() + Math.max(LOOK_EVERY_MS, took * LOOK_SHARE);
      });
    },
    forget() {
      hint = 0n;
      late = undefined;
    },
  };
}
