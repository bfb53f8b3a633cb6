// Sends what is in the outbox to the broker: one batch at a time, in the order of each key, and never drops a row.
import { startSequencePruning } from "./event-sequence.ts";
import { underlying } from "./failure.ts";
import { startLoop, within, type Loop } from "./loop.ts";
import { createReadHint } from "./outbox-hint.ts";
import { sendBatch, type Sending } from "./outbox-send.ts";
import type { EventProducer, EventsLog } from "./ports.ts";
import type { Database } from "./schema.ts";
import { ensureShards, ShardLeases } from "./shard-lease.ts";
import { createTopicRests } from "./topic-rest.ts";

/** How long a shard stays with a relay that is gone; a live one gives a sign of life within it. */
export const LEASE_MS = 6_000;
const POLL_FIRST_MS = 10;
/** After a wake, so long is waited for the commits beside it: one read and one send then serve them all. */
const GATHER_MS = 3;
/** Also how late an event is noticed that another process published for a shard of this one. */
const POLL_LAST_MS = 250;
/** How long a stop waits for the batch in flight. Later than that its leases end by themselves. */
const STOP_LIMIT_MS = 5_000;

export interface Relay extends AsyncDisposable {
  /** There may be something to send: call it when a transaction that published has committed. */
  wake(): void;
  /** Rejects when the relay cannot go on; losing the database or the broker is no such case. */
  readonly failed: Promise<never>;
}

export interface RelayOptions {
  readonly db: Database;
  readonly producer: EventProducer;
  readonly log: EventsLog;
  /** How long a shard stays with a relay that was killed. 3 to 10 s. */
  readonly leaseMs?: number;
  /** The rest between two looks into an empty outbox: it begins with the first and doubles up to the last. */
  readonly pollFirstMs?: number;
  readonly pollLastMs?: number;
}

export function startRelay(o: RelayOptions): Relay {
  const leaseMs = o.leaseMs ?? LEASE_MS;
  const first = o.pollFirstMs ?? POLL_FIRST_MS;
  const last = o.pollLastMs ?? POLL_LAST_MS;
  const leases = new ShardLeases(o.db, leaseMs);
  const sending: Sending = { ...o, leases, rests: createTopicRests(), hint: createReadHint() };

  let ready = false;
  const tick = startLoop("the lease of the outbox", o.log, async () => {
    if (!ready) await ensureShards(o.db);
    ready = true;
    const before = new Set(leases.held());
    await leases.tick();
    if (leases.held().some((shard) => !before.has(shard))) {
      sending.hint.forget();
      send.wake();
    }
    return leaseMs / 3;
  });

  let idleMs = first;
  const send = startLoop("sending the outbox", o.log, async (signal) => {
    const found = await leases.during(() => sendBatch(sending, signal));
    if (found === "full") return 0;
    idleMs = found === "some" ? first : Math.min(idleMs * 2, last);
    return idleMs * (0.75 + Math.random() / 2);
  });
  let gathering: NodeJS.Timeout | undefined;

  const { promise: failed, reject } = Promise.withResolvers<never>();
  failed.catch(() => undefined); // who starts a relay may not look at it
  const prune = startSequencePruning(o.db, o.log);
  void Promise.all([tick.done, send.done, prune.done]).catch(reject);
  return {
    failed,
    wake() {
      idleMs = first;
      gathering ??= setTimeout(() => {
        gathering = undefined;
        send.wake();
      }, GATHER_MS);
    },
    async [Symbol.asyncDispose]() {
      clearTimeout(gathering);
      await Promise.all([tick.stop(), prune.stop()]);
      await letGo(sending, send);
    },
  };
}

/** The batch in flight is waited for, then the shards are given back. */
async function letGo({ leases, log }: Sending, send: Loop): Promise<void> {
  const ended = await within(
    STOP_LIMIT_MS,
    send.stop().then(() => true),
  );
  if (ended === undefined) {
    log.warn({}, "the outbox was left with a batch in flight: its leases end by themselves");
    return;
  }
  await leases.release().catch((error: unknown) => {
    const fields = { error: underlying(error) };
    log.warn(fields, "the leases of the outbox were left to end by themselves");
  });
}
