// What the conformance suite asks of an adapter: the three ports, and the means to bring their broker into trouble.
import type { EventConsumer, EventLog, EventProducer } from "../../src/platform/events/ports.ts";

/** A record past the producer port: it may lack its key, and its value. */
export interface RawRecord {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
}

/** A broker with nothing in it, and a client of it. */
export interface Adapter extends AsyncDisposable {
  producer(): EventProducer;
  consumer(): EventConsumer;
  log(): EventLog;
  createTopic(topic: string, partitions: number): Promise<void>;
  /** Into partition 0. */
  write(topic: string, record: RawRecord): Promise<void>;
  /** Makes the end of partition 0 a few offsets that hold no record, as an aborted transaction does. */
  leaveHole(topic: string): Promise<void>;
  /** Partition 0 loses the records before the offset, as by its retention. */
  forget(topic: string, before: bigint): Promise<void>;
  /** Sends get no answer until the returned function is called; what was sent meanwhile may be stored. */
  loseAnswers(): Promise<() => Promise<void>>;
  /** The names of all consumer groups. */
  groups(): Promise<string[]>;
  /** Kills the broker, and returns what starts it again on its data. */
  kill(): Promise<() => Promise<void>>;
}

/** What an adapter may be unable to do. Tests that need it are skipped, and say why. */
type Ability = "kill" | "groups";

export interface AdapterUnderTest {
  open(): Promise<Adapter>;
  /** What this one cannot do, and the reason. */
  readonly lacks: Readonly<Partial<Record<Ability, string>>>;
}

/** What a section of the suite has at hand while its tests run. */
export interface Bench {
  adapter(): Adapter;
  /** Skips the test where the adapter lacks what it needs. */
  needs(test: { skip(condition: boolean, note?: string): void }, ability: Ability): void;
}
