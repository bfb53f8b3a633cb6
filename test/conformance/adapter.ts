// What the conformance suite asks of an adapter: the three ports, and the means to bring their broker into trouble.
import type { EventConsumer, EventLog, EventProducer } from "../../src/platform/events/ports.ts";

/** A record past the producer port: it may lack its key, and its value. */
export interface RawRecord {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
}

/** A broker with nothing in it, and a client of it. */
export interface Adapter extends AsyncDisposable {
  readonly producer: () => EventProducer;
  readonly consumer: () => EventConsumer;
  readonly log: () => EventLog;
  readonly createTopic: (topic: string, partitions: number) => Promise<void>;
  /** Into partition 0. */
  readonly write: (topic: string, record: RawRecord) => Promise<void>;
  /** Makes the end of partition 0 a few offsets that hold no record, as an aborted transaction does. */
  readonly leaveHole: (topic: string) => Promise<void>;
  /** Partition 0 loses the records before the offset, as by its retention. */
  readonly forget: (topic: string, before: bigint) => Promise<void>;
  /** Sends get no answer until the returned function is called; what was sent meanwhile may be stored. */
  readonly loseAnswers: () => Promise<() => Promise<void>>;
  /** The names of all consumer groups. */
  readonly groups: () => Promise<string[]>;
  /** Kills the broker, and returns what starts it again on its data. */
  readonly kill: () => Promise<() => Promise<void>>;
}

/** What an adapter may be unable to do. Tests that need it are skipped, and say why. */
export type Ability = "kill" | "groups";

export interface AdapterUnderTest {
  readonly open: () => Promise<Adapter>;
  /** What this one cannot do, and the reason. */
  readonly lacks: Readonly<Partial<Record<Ability, string>>>;
}

/** One test of the suite. It makes topics and groups of its own. */
export interface Case {
  /** What is promised, as a sentence that begins with the part that promises. */
  readonly name: string;
  readonly needs?: Ability;
  readonly run: (adapter: Adapter) => Promise<void>;
}
