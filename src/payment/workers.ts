// The work that the Payment service does by itself, each kind at its own pace.
import { startWorker, type Worker } from "../platform/worker.ts";
import type { PaymentParts } from "./parts.ts";
import { checkDuePayments, missedEvents } from "./reconcile.ts";
import { settleDueRefunds } from "./refund-call.ts";
import { settleDueAttempts } from "./settle.ts";
import { applyDueEvents } from "./webhook.ts";

/** The wait between two looks for due rows, in milliseconds: from while there is work, to while there is none. */
const POLL_MS = { minPollMs: 200, maxPollMs: 1000 } as const;

export interface Workers extends AsyncDisposable {
  /** Applies Stripe's events. */
  readonly events: Worker;
}

/** Starts all of them; disposing stops them. */
export function startWorkers(parts: PaymentParts): Workers {
  const { log, pace } = parts;
  const stack = new AsyncDisposableStack();
  const due = (name: string, work: (parts: PaymentParts) => Promise<number>): Worker =>
    stack.use(startWorker({ name, log, ...POLL_MS, run: () => work(parts) }));
  due("settle", settleDueAttempts);
  due("refunds", settleDueRefunds);
  due("checks", checkDuePayments);
  const events = due("stripe-events", applyDueEvents);
  stack.use(
    startWorker({
      name: "missed-events",
      log,
      minPollMs: pace.missedEventsMs,
      maxPollMs: pace.missedEventsMs,
      run: missedEvents(parts),
    }),
  );
  return { events, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}
