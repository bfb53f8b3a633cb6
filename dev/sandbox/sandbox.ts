// Stands in for Stripe, Resend and Twilio: one process, loopback only, remembering all in its data folder.
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createClock } from "./clock.ts";
import { controlRoutes } from "./control.ts";
import { customerRoutes } from "./customer.ts";
import { createFaults } from "./faults.ts";
import { createServer, isLoopback } from "./http.ts";
import { IdempotencyKeys, KEY_LIFETIME_MS, type SavedAnswer } from "./idempotency.ts";
import { inspectorRoutes } from "./inspector.ts";
import { openJournal } from "./journal.ts";
import type { Mail } from "./mail.ts";
import { resendRoutes } from "./resend.ts";
import { openBanks } from "./stripe/bank.ts";
import { EVENT_LIFETIME_MS, openLedger } from "./stripe/ledger.ts";
import { showEvent } from "./stripe/event-operations.ts";
import { stripeRoutes } from "./stripe/routes.ts";
import { type Sms, twilioRoutes } from "./twilio.ts";
import { WebhookDispatcher } from "./webhook-dispatcher.ts";
import type { Webhook } from "./webhook-post.ts";
import { createWebhooks } from "./webhooks.ts";

export interface SandboxOptions {
  /** A loopback name or address; any other is refused. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly dataDir: string;
  /** Where Stripe's events go; without it they are only listed. */
  readonly webhook?: Webhook;
  /** Milliseconds since 1970; the machine's clock if not given. */
  readonly clock?: () => number;
  /** Told of what a person may want to know; silent if not given. */
  readonly log?: (line: string) => void;
}

export interface Sandbox extends AsyncDisposable {
  readonly url: string;
}

const lifetimesMs = {
  stripe_key: KEY_LIFETIME_MS,
  resend_key: KEY_LIFETIME_MS,
  event: EVENT_LIFETIME_MS,
  delivery: EVENT_LIFETIME_MS,
};

export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { log = () => undefined } = options;
  refuseForeign(options);
  await using stack = new AsyncDisposableStack();
  const clock = createClock(options.clock ?? Date.now);
  const journal = stack.use(
    await openJournal({
      file: join(options.dataDir, "journal.jsonl"),
      lifetimesMs,
      clock: clock.now,
    }),
  );
  clock.bind(journal);
  const now = (): number => Math.floor(clock.now() / 1000);
  let origin = "";
  const faults = createFaults();
  const webhooks = createWebhooks(() => ledger, faults);
  const ledger = openLedger(journal, { clock: clock.now, onEvent: webhooks.happened });
  const books = { ledger, now, origin: () => origin };
  const mails = journal.collection<Mail>("mail");
  const messages = journal.collection<Sms>("sms");
  const closing = new AbortController();
  const stripeKeys = new IdempotencyKeys(journal.collection<SavedAnswer>("stripe_key"));
  const resendKeys = new IdempotencyKeys(journal.collection<SavedAnswer>("resend_key"));
  const app = createServer(log);
  stripeRoutes(app, { books, journal, keys: stripeKeys, faults, closing: closing.signal });
  resendRoutes(app, {
    mails,
    journal,
    keys: resendKeys,
    faults,
    clock: clock.now,
    closing: closing.signal,
  });
  twilioRoutes(app, { messages, journal, faults, clock: clock.now, closing: closing.signal });
  customerRoutes(app, { books, journal });
  inspectorRoutes(app, { mails: mails.values, messages: messages.values, ledger, faults });
  controlRoutes(app, { faults, webhooks, ledger, journal, stripeKeys, clock });
  stack.use(openBanks({ books, journal, clock: clock.now }));
  stack.defer(() => app.close());
  stack.defer(() => closing.abort());
  await app.listen({ host: options.host, port: options.port });
  origin = originOf(app.server.address() as AddressInfo);
  if (options.webhook !== undefined) {
    const payload = (eventId: string): string => JSON.stringify(showEvent(books, eventId));
    const { badSignature, resume } = webhooks;
    const onDelivered = (eventId: string) => ledger.markDelivery(eventId, "delivered");
    const { webhook } = options;
    resume(stack.use(new WebhookDispatcher({ webhook, payload, badSignature, onDelivered, log })));
  }
  const running = stack.move();
  return { url: origin, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

function refuseForeign({ host, webhook }: SandboxOptions): void {
  if (!isLoopback(host)) throw new Error(`The sandbox listens on loopback only, not on ${host}.`);
  const receiver = webhook && new URL(webhook.url).hostname;
  if (receiver !== undefined && !isLoopback(receiver)) {
    throw new Error(`The sandbox sends webhooks to loopback only, not to ${receiver}.`);
  }
}

const originOf = ({ address, family, port }: AddressInfo): string =>
  `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
