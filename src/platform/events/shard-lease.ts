// Who sends which shard of the outbox. One live lease per shard is what keeps the order of a key.
import { randomUUID } from "node:crypto";
import { sql, type SQL } from "drizzle-orm";
import { SHARDS } from "./key-hash.ts";
import { outboxShard, relayHeartbeat, type Database } from "./schema.ts";

/** A lease ends here so much before it ends in the database: a batch that was just begun must not outlive it. */
const SAFETY_MS = 700;
/** Heartbeats of relays that have been gone for so long are removed. */
const FORGET_RELAY_HOURS = 1;

export class ShardLeases {
  readonly #db: Database;
  readonly #leaseMs: number;
  readonly #lease: SQL;
  readonly #clock: () => number;
  readonly #relay = randomUUID();
  /** Shard to local deadline, in milliseconds of the monotonic clock. */
  readonly #deadlines = new Map<number, number>();
  #inFlight: Promise<unknown> = Promise.resolve();

  constructor(db: Database, leaseMs: number, clock: () => number = () => performance.now()) {
    this.#db = db;
    this.#leaseMs = leaseMs;
    this.#lease = sql`make_interval(secs => ${leaseMs / 1000})`;
    this.#clock = clock;
  }

  holds(shard: number): boolean {
    return (this.#deadlines.get(shard) ?? -Infinity) > this.#clock();
  }

  /** The shards whose lease still holds, by the clock of this machine. */
  held(): number[] {
    return [...this.#deadlines.keys()].filter((shard) => this.holds(shard));
  }

  /** Renews, takes and gives back, so that every live relay has its fair share. To be called every third of a lease. */
  async tick(): Promise<void> {
    const began = this.#clock();
    const live = await beat(this.#db, this.#relay, this.#lease);
    const share = Math.ceil(SHARDS / Math.max(live, 1));
    await this.#renew(began);
    if (this.#deadlines.size < share) await this.#take(began, share - this.#deadlines.size);
    const surplus = [...this.#deadlines.keys()].slice(share);
    if (surplus.length > 0) await this.#giveBack(surplus);
  }

  /** Runs the work of one batch. No shard is given back while it runs. */
  async during<T>(batch: () => Promise<T>): Promise<T> {
    const running = batch();
    this.#inFlight = running.catch(() => undefined); // the caller of `during` hears of it
    return running;
  }

  /** Gives everything back, so that another relay need not wait for the leases to end. */
  async release(): Promise<void> {
    await this.#giveBack(this.held());
    await this.#db.execute(sql`DELETE FROM ${relayHeartbeat} WHERE relay = ${this.#relay}::uuid`);
  }

  async #renew(began: number): Promise<void> {
    const mine = `{${[...this.#deadlines.keys()].join(",")}}`;
    const rows = await this.#db.execute<{ shard: number }>(sql`
      UPDATE ${outboxShard} SET lease_until = now() + ${this.#lease}
      WHERE owner = ${this.#relay}::uuid AND lease_until > now() AND shard = ANY (${mine}::smallint[])
      RETURNING shard`);
    this.#deadlines.clear();
    this.#hold(rows, began);
  }

  async #take(began: number, count: number): Promise<void> {
    const rows = await this.#db.execute<{ shard: number }>(sql`
      UPDATE ${outboxShard} SET owner = ${this.#relay}::uuid, lease_until = now() + ${this.#lease}
      WHERE shard IN (
        SELECT shard FROM ${outboxShard} WHERE lease_until <= now()
        ORDER BY random() LIMIT ${count}::int FOR UPDATE SKIP LOCKED
      ) RETURNING shard`);
    this.#hold(rows, began);
  }

  #hold(rows: readonly { shard: number }[], began: number): void {
    for (const { shard } of rows) this.#deadlines.set(shard, began + this.#leaseMs - SAFETY_MS);
  }

  async #giveBack(shards: readonly number[]): Promise<void> {
    for (const shard of shards) this.#deadlines.delete(shard);
    await this.#inFlight; // a batch that was read may hold rows of these shards
    await this.#db.execute(sql`
      UPDATE ${outboxShard} SET lease_until = '-infinity'
      WHERE owner = ${this.#relay}::uuid AND shard = ANY (${`{${shards.join(",")}}`}::smallint[])`);
  }
}

/** Writes the own heartbeat and counts the live ones. Two statements: the first does not see its own new row. */
async function beat(db: Database, relay: string, lease: SQL): Promise<number> {
  await db.execute(sql`
    INSERT INTO ${relayHeartbeat} (relay, seen_time) VALUES (${relay}::uuid, now())
    ON CONFLICT (relay) DO UPDATE SET seen_time = now()`);
  const rows = await db.execute<{ live: number }>(sql`
    WITH forgotten AS (
      DELETE FROM ${relayHeartbeat} WHERE seen_time < now() - make_interval(hours => ${FORGET_RELAY_HOURS}::int)
    )
    SELECT count(*)::int AS live FROM ${relayHeartbeat} WHERE seen_time > now() - ${lease}`);
  return rows[0]?.live ?? 1;
}

/** Makes the rows that leases are written into, where they are missing. */
export async function ensureShards(db: Database): Promise<void> {
  await db.execute(sql`
    INSERT INTO ${outboxShard} (shard) SELECT generate_series(0, ${SHARDS - 1}::int) ON CONFLICT (shard) DO NOTHING`);
}
