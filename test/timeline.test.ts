// The promise: what happened to an order, and why nothing did, is told: to its customer what is his, to operators all.
import { randomUUID } from "node:crypto";
import { beforeAll, describe, expect, inject, test } from "vitest";
import { type Store, STORES } from "../dev/backends/databases.ts";
import { TimelineVisibility, type TimelineEntry } from "../gen/waybill/timeline/v1/timeline_pb.js";
import { eventually } from "./harness/eventually.ts";
import { ask } from "./harness/http.ts";
import { newCustomer, type Person } from "./harness/people.ts";
import { sandboxUrl } from "./harness/place.ts";
import { query } from "./harness/rows.ts";
import { faultsUntilDone, orderFault } from "./harness/sandbox.ts";
import { anUnpaidOrder, becomes, placeOrder } from "./harness/shop.ts";
import { askTimeline, entryOf, timelineOf, timelinePage, wholeStory } from "./harness/timeline.ts";

const { PUBLIC, OPERATOR } = TimelineVisibility;
const place = inject("shared");
const { gateway, tokens } = place.stack;

const storyOf = (service: Store, orderId: string) => wholeStory(place, service, orderId);

const typesOf = (entries: readonly TimelineEntry[], begin = ""): readonly string[] =>
  entries.map(({ type }) => type).filter((type) => type.startsWith(begin));

const tells = (service: Store, orderId: string, type: string, text: string | RegExp) =>
  entryOf(place, service, orderId, { type, text });

/** The one line about Stripe's event of this type, as soon as it is there. */
const tellsOfEvent = (orderId: string, type: string) =>
  eventually(async () => {
    const told = (await storyOf("payment", orderId)).filter(({ text }) =>
      text.startsWith(`${type}: `),
    );
    expect(told).toHaveLength(1);
    return told[0];
  });

/** As soon as it is known what became of the last attempt. */
const pay = (who: Person, orderId: string, paymentMethod: string): Promise<void> =>
  eventually(async () => {
    const url = `${gateway}/v1/orders/${orderId}:pay`;
    const answer = await ask(url, { token: who.token, body: { paymentMethod } });
    expect(answer.status).toBe(200);
  });

/** The Stripe events of an order's PaymentIntents, the oldest first, by type. */
async function eventsOf(paymentIntentId: string) {
  const { json } = await ask(`${sandboxUrl(place)}/_/webhooks`);
  const { webhooks } = json as { webhooks: { id: string; type: string; payment: string }[] };
  const mine = webhooks.filter(({ payment }) => payment === paymentIntentId);
  return Map.groupBy(mine, ({ type }) => type.replace("payment_intent.", ""));
}

/** Delivers the events now, in this order: held ones for the first time ("release"), or any of them again ("send"). */
async function deliver(how: "release" | "send", events: readonly string[]): Promise<void> {
  const answer = await ask(`${sandboxUrl(place)}/_/webhooks/${how}`, { body: { events } });
  expect(answer.status).toBe(200);
}

describe("the timeline of a paid order", () => {
  let alice: Person;
  let orderId: string;
  beforeAll(async () => {
    alice = await newCustomer(place);
    ({ id: orderId } = (await placeOrder(place, alice)).order);
    await becomes(place, alice, orderId, "PAID");
    for (const type of ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded"])
      await tellsOfEvent(orderId, type);
    await eventually(async () =>
      expect(typesOf(await storyOf("notification", orderId))).toHaveLength(5),
    );
  });

  test("tells at Order that it was taken and paid, and nothing else", async () => {
    expect(typesOf(await storyOf("order", orderId))).toEqual(["order.created", "order.paid"]);
  });

  test("tells at Payment of its attempt, and once of the money, whoever brought the news", async () => {
    await tells("payment", orderId, "webhook.ignored", "payment_intent.created: events of this");
    const webhook = await tellsOfEvent(orderId, "payment_intent.succeeded");

    expect(webhook?.text).toMatch(/: (applied|late succeeded ignored: already SUCCEEDED)$/);
    expect(webhook?.references["event_id"]).toMatch(/^evt_/);
    expect(typesOf(await storyOf("payment", orderId), "payment.")).toEqual([
      "payment.created",
      "payment.attempt_started",
      "payment.succeeded",
    ]);
  });

  test("tells at Notification what is to be sent and was sent, and which event nobody is told of", async () => {
    const why = await tells("notification", orderId, "event.ignored", "nobody is told of this");

    expect(why.text).toBe("payment.status-updated: nobody is told of this event");
    await eventually(async () =>
      expect(typesOf(await storyOf("notification", orderId), "notification.").toSorted()).toEqual([
        "notification.noted",
        "notification.noted",
        "notification.sent",
        "notification.sent",
      ]),
    );
    await tells("notification", orderId, "notification.noted", /"order-created".* no phone number/);
  });

  test("shows its customer the public lines, in order, and an operator all of them", async () => {
    for (const service of STORES) {
      const all = await storyOf(service, orderId);
      const hers = await timelineOf(place, service, alice.token, orderId);

      expect(hers).toEqual(all.filter(({ visibility }) => visibility === PUBLIC));
      expect(hers.length).toBeGreaterThan(0);
      expect(all.map(({ id }) => id)).toEqual(all.map(({ id }) => id).toSorted());
      expect(new Set(all.map((entry) => entry.service))).toEqual(new Set([service]));
    }
    expect((await storyOf("payment", orderId)).map(({ visibility }) => visibility)).toContain(
      OPERATOR,
    );
  });

  test("does not exist for another customer", async () => {
    const bob = await newCustomer(place);

    for (const service of STORES)
      expect(await timelineOf(place, service, bob.token, orderId)).toEqual([]);
    expect(await storyOf("payment", randomUUID())).toEqual([]);
  });

  test("has pages, whose tokens are good for the same order and reader only", async () => {
    const all = await storyOf("payment", orderId);
    const pages: TimelineEntry[][] = [];
    for (let pageToken = ""; ;) {
      const request = { orderId, pageSize: 2, pageToken };
      const page = await timelinePage(place, "payment", tokens.operator, request);
      pages.push(page.entries);
      pageToken = page.nextPageToken;
      if (pageToken === "") break;
      const stolen = await askTimeline(place, "payment", alice.token, { ...request, pageToken });
      expect(stolen.json).toMatchObject({ code: "invalid_argument" });
    }

    expect(pages.flat().slice(0, all.length)).toEqual(all);
    expect(pages.slice(0, -1).map((page) => page.length)).toEqual(pages.slice(1).map(() => 2));
  });

  test("carries the trace of the request, in every service", async () => {
    for (const service of STORES) {
      const traces = (await storyOf(service, orderId))
        .filter(({ type }) => !type.startsWith("webhook."))
        .map(({ traceparent }) => traceparent.slice(3, 35));
      expect(new Set(traces).size).toBe(1);
    }
  });
});

describe("the timeline of an order that was declined, then paid", () => {
  test("says that a failure that came late was ignored, and that it came again only once", async () => {
    await using _ = faultsUntilDone(place);
    const alice = await newCustomer(place);
    const { order, payment } = await placeOrder(place, alice, anUnpaidOrder());
    const { id: orderId } = order;
    const [intent = "", secret] = payment.clientSecret.split("_secret_");
    const held = {
      provider: "stripe",
      fault: "webhook_hold",
      event: "payment_intent.payment_failed",
    };
    await orderFault(place, { ...held, metadata: { order_id: orderId } });
    await pay(alice, orderId, "pm_card_chargeDeclined");
    await becomes(place, alice, orderId, "FAILED");
    await pay(alice, orderId, "pm_card_visa");
    await becomes(place, alice, orderId, "PAID");

    const [failed] = (await eventsOf(intent)).get("payment_failed") ?? [];
    const late = failed?.id ?? "";
    await deliver("release", [late]);

    const line = await tells("payment", orderId, "webhook.ignored", /^payment_intent.payment_f/);
    expect(line.text).toBe(
      "payment_intent.payment_failed: late payment_failed ignored: already SUCCEEDED",
    );
    expect(line.references).toMatchObject({ event_id: late, payment_intent_id: intent });
    await deliver("send", [late, late, late]);
    await tells("payment", orderId, "webhook.repeated", "duplicate event ignored");
    const [row] = await query(place, "payment", "select repeats from stripe_events where id = $1", [
      late,
    ]);
    expect(row).toEqual({ repeats: 3 });
    const all = await storyOf("payment", orderId);
    expect(all.filter(({ references }) => references["event_id"] === late)).toHaveLength(2);
    expect(typesOf(all, "payment.")).toEqual([
      "payment.created",
      "payment.attempt_started",
      "payment.requires_payment_method",
      "payment.attempt_started",
      "payment.attempt_refused",
      "payment.attempt_started",
      "payment.succeeded",
    ]);
    const refused = all.find(({ type }) => type === "payment.attempt_refused");
    expect(refused?.text).toBe("Attempt 2 to pay was refused (generic_decline).");

    expect(typesOf(await timelineOf(place, "order", alice.token, orderId))).toEqual([
      "order.created",
      "order.pay_again",
      "order.failed",
      "order.pay_again",
      "order.paid",
    ]);
    for (const service of STORES) {
      const { text } = await askTimeline(place, service, tokens.operator, { orderId });
      for (const private_ of [secret ?? "", alice.email, "pm_card", "4242"])
        expect(text).not.toContain(private_);
    }
  });
});

describe("the timeline of an order that was refunded", () => {
  test("says who was given what back, at each service in its own words", async () => {
    const alice = await newCustomer(place);
    const { id: orderId } = (await placeOrder(place, alice)).order;
    const { payment } = await becomes(place, alice, orderId, "PAID");

    const refunded = await ask(`${gateway}/v1/payments/${payment.id}:refund`, {
      token: tokens.operator,
      body: {
        amount: { currencyCode: "EUR", minorUnits: "500" },
        reason: "REFUND_REASON_REQUESTED_BY_CUSTOMER",
      },
    });

    expect(refunded.status).toBe(200);
    const asked = await tells("payment", orderId, "refund.asked_for", "500 minor units of EUR");
    const done = await tells("payment", orderId, "refund.succeeded", "500 minor units of EUR");
    expect(done.references["refund_id"]).toBe(asked.references["refund_id"]);
    expect(done.references["stripe_refund_id"]).toMatch(/^re_/);
    const told = await tells("order", orderId, "refund.succeeded", "500 minor units of EUR");
    expect(told.visibility).toBe(PUBLIC);
    await tells("payment", orderId, "webhook.ignored", "charge.refunded: nothing new");
    await tells("notification", orderId, "notification.sent", '"payment-refunded"');
  });
});
