// What a person or a test asks the sandbox itself: what was sent, what was paid.
import type { FastifyInstance } from "fastify";
import { jsonAnswer } from "./answer.ts";
import type { Faults } from "./faults.ts";
import { send } from "./http.ts";
import { inboxPage, type Inbox } from "./inbox-page.ts";
import type { Mail } from "./mail.ts";
import { accountOfEvent, accountsOf } from "./stripe/account.ts";
import type { Ledger } from "./stripe/ledger.ts";
import { operationNames } from "./stripe/routes.ts";
import { STRIPE_PAGE, stripePage, type StripeView } from "./stripe-page.ts";
import type { Sms } from "./twilio.ts";

export interface InspectorParts {
  readonly mails: () => Mail[];
  readonly messages: () => Sms[];
  readonly ledger: Ledger;
  readonly faults: Faults;
}

export function inspectorRoutes(app: FastifyInstance, parts: InspectorParts): void {
  app.get("/", async (_request, reply) =>
    reply.type("text/html; charset=utf-8").send(inboxPage(inboxOf(parts))),
  );
  app.get(STRIPE_PAGE, async (_request, reply) =>
    reply.type("text/html; charset=utf-8").send(stripePage(viewOf(parts))),
  );
  app.get("/_/inbox", async (_request, reply) => send(reply, jsonAnswer(200, inboxOf(parts))));
  app.get<{ Querystring: Record<string, string> }>("/_/payments", async (request, reply) =>
    send(reply, jsonAnswer(200, { payments: accountsOf(parts.ledger, { ...request.query }) })),
  );
  app.get("/_/health", async (_request, reply) => {
    const undelivered = parts.ledger
      .events()
      .filter(({ id }) => parts.ledger.delivery(id) === "pending").length;
    return send(reply, jsonAnswer(200, { status: "ok", undeliveredEvents: undelivered }));
  });
}

const viewOf = ({ faults, ledger }: InspectorParts): StripeView => ({
  payments: accountsOf(ledger),
  events: ledger.events().map((event) => accountOfEvent(ledger, event)),
  faults: faults.list(),
  operations: operationNames,
});

const inboxOf = (parts: InspectorParts): Inbox => ({
  emails: parts.mails().map(({ to, subject, text, html, idempotencyKey, time }) => ({
    to: to.length === 1 ? (to[0] ?? "") : to,
    subject,
    text,
    html,
    idempotencyKey,
    time: new Date(time).toISOString(),
  })),
  sms: parts
    .messages()
    .map(({ to, body, time }) => ({ to, body, time: new Date(time).toISOString() })),
});
