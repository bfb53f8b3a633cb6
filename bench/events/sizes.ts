// The parts of the benchmark of the event layer, and how much each does.

/** In the order in which they run. */
export const EVENT_PARTS = [
  "relay",
  "consumer",
  "latency",
  "snapshot",
  "cost",
  "loss",
  "idle",
] as const;
export type EventPart = (typeof EVENT_PARTS)[number];

export interface EventSizes {
  /** Rows of the backlog that a relay drains. */
  readonly backlogRows: number;
  /** Records that are sent without a database, and rows that are drained without a broker. */
  readonly limitRows: number;
  /** Events that a consumer finds in its topic. */
  readonly consumedEvents: number;
  readonly latencySeconds: number;
  /** How long a snapshot is open. */
  readonly snapshotSeconds: number;
  /** How long the same load is measured without one. */
  readonly noSnapshotSeconds: number;
  /** Of each round of each way to publish. */
  readonly costSeconds: number;
  readonly costRounds: number;
  readonly idleSeconds: number;
  /** Of each load under which processes or the broker are killed. */
  readonly lossSeconds: number;
}

export const FULL: EventSizes = {
  backlogRows: 1_000_000,
  limitRows: 200_000,
  consumedEvents: 100_000,
  latencySeconds: 30,
  snapshotSeconds: 600,
  noSnapshotSeconds: 60,
  costSeconds: 5,
  costRounds: 4,
  idleSeconds: 20,
  lossSeconds: 60,
};
export const QUICK: EventSizes = {
  backlogRows: 100_000,
  limitRows: 50_000,
  consumedEvents: 20_000,
  latencySeconds: 5,
  snapshotSeconds: 30,
  noSnapshotSeconds: 10,
  costSeconds: 2,
  costRounds: 2,
  idleSeconds: 5,
  lossSeconds: 20,
};
