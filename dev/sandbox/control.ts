// What a test orders of the sandbox: faults, webhooks held and released, time that passes.
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { type Answer, jsonAnswer } from "./answer.ts";
import type { Clock } from "./clock.ts";
import { badSignatures, type Faults } from "./faults.ts";
import { readFault } from "./fault-order.ts";
import { listOf, textOf } from "./form.ts";
import { givenBy, respond } from "./given.ts";
import { send } from "./http.ts";
import type { IdempotencyKeys } from "./idempotency.ts";
import type { Journal } from "./journal.ts";
import { accountOfEvent } from "./stripe/account.ts";
import type { Ledger } from "./stripe/ledger.ts";
import type { Webhooks } from "./webhooks.ts";

export interface ControlParts {
  readonly faults: Faults;
  readonly webhooks: Webhooks;
  readonly ledger: Ledger;
  readonly journal: Journal;
  readonly stripeKeys: IdempotencyKeys;
  readonly clock: Clock;
}

const wrong = (error: string): Answer => jsonAnswer(400, { error });

export function controlRoutes(app: FastifyInstance, parts: ControlParts): void {
  faultRoutes(app, parts);
  webhookRoutes(app, parts);
  timeRoutes(app, parts);
}

function faultRoutes(app: FastifyInstance, { faults, webhooks }: ControlParts): void {
  app.get("/_/faults", async (_request, reply) =>
    send(reply, jsonAnswer(200, { faults: faults.list() })),
  );
  app.post("/_/faults", async (request, reply) => {
    const fault = readFault(givenBy(request));
    if (typeof fault === "string") return send(reply, wrong(fault));
    faults.order(fault);
    return respond(request, reply, jsonAnswer(201, { faults: faults.list() }));
  });
  const clear = async (request: FastifyRequest, reply: FastifyReply) => {
    faults.clear();
    webhooks.flush();
    return respond(request, reply, jsonAnswer(200, { faults: [] }));
  };
  app.delete("/_/faults", clear);
  app.post("/_/faults/clear", clear);
}

function webhookRoutes(app: FastifyInstance, { ledger, webhooks }: ControlParts): void {
  app.get<{ Querystring: { delivery?: string } }>("/_/webhooks", async (request, reply) => {
    const { delivery } = request.query;
    const all = ledger.events().map((event) => accountOfEvent(ledger, event));
    const some = all.filter((event) => delivery === undefined || event.delivery === delivery);
    return send(reply, jsonAnswer(200, { webhooks: some }));
  });
  app.post("/_/webhooks/release", async (request, reply) => {
    const form = givenBy(request);
    if (form === undefined) return send(reply, wrong("The body must be a JSON object."));
    const released = webhooks.release(listOf(form, "events"));
    return respond(request, reply, jsonAnswer(200, { released }));
  });
  app.post("/_/webhooks/send", async (request, reply) => {
    const form = givenBy(request);
    const events = form && listOf(form, "events");
    if (form === undefined || events === undefined)
      return send(reply, wrong('Name the events: {"events": ["evt_…"]}.'));
    const unknown = events.find((id) => ledger.event(id) === undefined);
    if (unknown !== undefined) return send(reply, wrong(`No such event: ${unknown}`));
    const given = textOf(form, "signature");
    const signature = badSignatures.find((name) => name === given);
    if (given !== undefined && signature === undefined)
      return send(reply, wrong(`signature must be one of ${badSignatures.join(", ")}.`));
    const attempts = await webhooks.send(events, signature);
    if (attempts === undefined) return send(reply, wrong("The sandbox was told of no receiver."));
    return respond(request, reply, jsonAnswer(200, { attempts }));
  });
}

function timeRoutes(app: FastifyInstance, { clock, journal, stripeKeys }: ControlParts): void {
  const time = () => jsonAnswer(200, { time: new Date(clock.now()).toISOString() });
  app.get("/_/clock", async (_request, reply) => send(reply, time()));
  app.post("/_/clock", async (request, reply) => {
    const form = givenBy(request);
    const advanceMs = Number((form && textOf(form, "advanceMs")) ?? Number.NaN);
    if (!Number.isSafeInteger(advanceMs) || advanceMs < 0)
      return send(reply, wrong('Say by how much: {"advanceMs": 86400000}.'));
    clock.advance(advanceMs);
    return send(reply, time());
  });
  app.delete<{ Params: { key: string } }>("/_/keys/:key", async (request, reply) => {
    const forgotten = journal.change(() => stripeKeys.forget(request.params.key));
    return send(reply, jsonAnswer(forgotten ? 200 : 404, { forgotten }));
  });
}
