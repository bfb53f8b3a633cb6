// What a person or a test asks the sandbox itself: what was sent, what was paid, which faults are to come.
import type { FastifyInstance } from "fastify";
import { jsonAnswer } from "./answer.ts";
import {
  type Fault,
  type FaultName,
  faultNames,
  type Faults,
  type Provider,
  providers,
} from "./faults.ts";
import { bodyOf, send } from "./http.ts";
import { inboxPage, type Inbox } from "./inbox-page.ts";
import type { Mail } from "./mail.ts";
import { accountsOf } from "./stripe/account.ts";
import type { Ledger } from "./stripe/ledger.ts";
import type { Sms } from "./twilio.ts";

/** A fault waits no longer than that. */
const MAX_LATENCY_MS = 120_000;

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
  app.get("/_/inbox", async (_request, reply) => send(reply, jsonAnswer(200, inboxOf(parts))));
  app.get<{ Querystring: Record<string, string> }>("/_/payments", async (request, reply) =>
    send(reply, jsonAnswer(200, { payments: accountsOf(parts.ledger, { ...request.query }) })),
  );
  app.get("/_/health", async (_request, reply) => {
    const undelivered = parts.ledger
      .events()
      .filter(({ id }) => parts.ledger.delivery(id) !== "delivered").length;
    return send(reply, jsonAnswer(200, { status: "ok", undeliveredEvents: undelivered }));
  });
  app.get("/_/faults", async (_request, reply) =>
    send(reply, jsonAnswer(200, { faults: parts.faults.list() })),
  );
  app.post("/_/faults", async (request, reply) => {
    const fault = readFault(bodyOf(request.body));
    if (typeof fault === "string") return send(reply, jsonAnswer(400, { error: fault }));
    parts.faults.order(fault);
    return send(reply, jsonAnswer(201, { faults: parts.faults.list() }));
  });
  app.delete("/_/faults", async (_request, reply) => {
    parts.faults.clear();
    return send(reply, jsonAnswer(200, { faults: [] }));
  });
}

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

/** The fault, or what is wrong with it. */
function readFault(body: string): Fault | string {
  const fields = parse(body);
  if (fields === undefined) return "The body must be a JSON object.";
  const provider = providers.find((name): name is Provider => name === fields["provider"]);
  if (provider === undefined) return `provider must be one of ${providers.join(", ")}.`;
  const fault = faultNames.find((name): name is FaultName => name === fields["fault"]);
  if (fault === undefined) return `fault must be one of ${faultNames.join(", ")}.`;
  const { count = 1, latencyMs, status, path } = fields;
  if (!isWhole(count, 1, Infinity)) return "count must be a whole number from 1.";
  if (latencyMs !== undefined && !isWhole(latencyMs, 0, MAX_LATENCY_MS)) {
    return `latencyMs must be from 0 to ${MAX_LATENCY_MS}.`;
  }
  if (fault === "latency" && latencyMs === undefined) return "The fault latency needs latencyMs.";
  if (status !== undefined && !isWhole(status, 400, 599)) return "status must be from 400 to 599.";
  if (fault === "status" && status === undefined) return "The fault status needs status.";
  if (path !== undefined && typeof path !== "string")
    return "path must be the beginning of a path.";
  return {
    provider,
    fault,
    count,
    ...(latencyMs === undefined ? {} : { latencyMs }),
    ...(status === undefined ? {} : { status }),
    ...(path === undefined ? {} : { path }),
  };
}

const isWhole = (value: unknown, min: number, max: number): value is number =>
  Number.isInteger(value) && typeof value === "number" && value >= min && value <= max;

function parse(body: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
