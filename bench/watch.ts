// Sees from the databases how far the orders have come, so that watching costs the services nothing.
import { setTimeout as pause } from "node:timers/promises";
import postgres from "postgres";
import type { StackFile } from "../dev/stack/stack-file.ts";

/** Mails that tell of a paid order: that it was taken, and that it was paid. */
const MAILS_PER_ORDER = 2;
const POLL_MS = 100;
/** More than any backlog of a benchmark takes; longer means that something is stuck. */
const QUIET_WITHIN_MS = 180_000;

export interface Progress {
  readonly orders: number;
  readonly paid: number;
  /** Orders of which all mails have been sent. */
  readonly told: number;
  /** Rows that still wait for a relay or a worker, in all databases. */
  readonly waiting: number;
}

export interface Watch extends AsyncDisposable {
  progress(): Promise<Progress>;
  /** Those of the orders that are PAID. */
  paidOf(orderIds: readonly string[]): Promise<string[]>;
  /** Resolves when every order is PAID and told and nothing waits. @throws when that takes too long */
  quiet(onProgress?: (progress: Progress) => void): Promise<Progress>;
}

export function openWatch(stack: StackFile): Watch {
  const connect = (url: string) => postgres(url, { max: 1, onnotice: () => undefined });
  const order = connect(stack.postgres.order);
  const payment = connect(stack.postgres.payment);
  const notification = connect(stack.postgres.notification);

  const progress = async (): Promise<Progress> => {
    const [[orders], [payments], [mails]] = await Promise.all([
      order<{ all: number; paid: number; waiting: number }[]>`
        select count(*)::int as all, count(*) filter (where status = 'PAID')::int as paid,
               (select count(*) from outbox)::int as waiting from orders`,
      payment<{ waiting: number }[]>`
        select ((select count(*) from outbox) + (select count(*) from payment_attempts where due_time is not null)
               + (select count(*) from stripe_events where due_time is not null))::int as waiting`,
      notification<{ sent: number; waiting: number }[]>`
        select count(*) filter (where status = 'SENT')::int as sent,
               ((select count(*) from outbox) + count(*) filter (where due_time is not null))::int as waiting
        from notifications`,
    ]);
    return {
      orders: orders?.all ?? 0,
      paid: orders?.paid ?? 0,
      told: Math.floor((mails?.sent ?? 0) / MAILS_PER_ORDER),
      waiting: (orders?.waiting ?? 0) + (payments?.waiting ?? 0) + (mails?.waiting ?? 0),
    };
  };

  return {
    progress,
    paidOf: async (orderIds) => {
      const rows = await order<{ id: string }[]>`
        select id from orders where id = any(${[...orderIds]}::uuid[]) and status = 'PAID'`;
      return rows.map((row) => row.id);
    },
    quiet: async (onProgress) => {
      const deadline = performance.now() + QUIET_WITHIN_MS;
      for (;;) {
        const now = await progress();
        onProgress?.(now);
        const done = now.paid === now.orders && now.told === now.orders && now.waiting === 0;
        if (done && (await undeliveredWebhooks(stack)) === 0) return now;
        if (performance.now() > deadline) {
          throw new Error(
            `After ${QUIET_WITHIN_MS / 1000} s without load not every order is PAID and told: ${JSON.stringify(now)}`,
          );
        }
        await pause(POLL_MS);
      }
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([order, payment, notification].map((sql) => sql.end()));
    },
  };
}

async function undeliveredWebhooks(stack: StackFile): Promise<number> {
  if (stack.sandbox === null) return 0;
  const answer = await fetch(`${stack.sandbox.url}/_/health`);
  const { undeliveredEvents } = (await answer.json()) as { undeliveredEvents: number };
  return undeliveredEvents;
}
