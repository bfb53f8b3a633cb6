// The promise: nobody reads, pays or cancels someone else's order. Every RPC of the contract, tried by every kind of caller.
import { randomUUID } from "node:crypto";
import { type DescMethod, getOption } from "@bufbuild/protobuf";
import { beforeAll, describe, expect, inject, test } from "vitest";
import { access } from "../gen/waybill/access/v1/options_pb.js";
import { EventAdminService } from "../gen/waybill/event/v1/event_admin_service_pb.js";
import { NotificationService } from "../gen/waybill/notification/v1/notification_service_pb.js";
import { CatalogService } from "../gen/waybill/order/v1/catalog_service_pb.js";
import { OrderService } from "../gen/waybill/order/v1/order_service_pb.js";
import { PaymentService } from "../gen/waybill/payment/v1/payment_service_pb.js";
import { eventually } from "./harness/eventually.ts";
import { ask } from "./harness/http.ts";
import { newCustomer, type Person, serviceToken } from "./harness/people.ts";
import { anOrder, becomes, notificationsOf, placeOrder } from "./harness/shop.ts";

const place = inject("shared");
const { services, tokens } = place.stack;
const SERVED = [
  ["order", OrderService],
  ["order", CatalogService],
  ["payment", PaymentService],
  ["notification", NotificationService],
  ["order", EventAdminService],
  ["payment", EventAdminService],
  ["notification", EventAdminService],
] as const;
const CALLING = ["order", "payment", "notification"] as const;
type ServiceName = (typeof CALLING)[number];

let alice: Person;
let bob: Person;
let orderId: string;
let paymentId: string;
let notificationId: string;
let total: unknown;
beforeAll(async () => {
  [alice, bob] = [await newCustomer(place), await newCustomer(place)];
  orderId = (await placeOrder(place, alice)).order.id;
  const { order, payment } = await becomes(place, alice, orderId, "PAID");
  paymentId = payment.id;
  total = { currencyCode: order.total?.currencyCode, minorUnits: String(order.total?.minorUnits) };
  notificationId = await eventually(async () => {
    const [first] = await notificationsOf(place, alice, orderId);
    if (first === undefined) throw new Error("nobody was told yet");
    return first.id;
  });
});

/** What an RPC does to those whom its access option admits and whose row it is not. */
type ToStrangers =
  /** The row is theirs or it is NOT_FOUND. */
  | "hidden"
  /** They get their own rows, without the ones of others. */
  | "own_rows"
  /** It makes something new, which is the caller's. */
  | "new_row"
  /** It is the same for everyone. */
  | "same"
  /** A service that acts for somebody else than the row's customer is refused. */
  | "refused";

interface Sample {
  readonly request: () => Readonly<Record<string, unknown>>;
  readonly toStrangers: ToStrangers;
  /** What those hear whom the RPC admits, where there is nothing for it to act on. Default: "ok". */
  readonly toAdmitted?: "not_found" | "failed_precondition";
}

const nothing = { eventId: randomUUID(), reason: "none of ours" };
const eventKey = { topic: "nowhere", key: "nobody" };
const mail = { subject: "Hello", text: "Hello" };
/** One for each RPC: an RPC that is added to the contract needs one here. */
const samples: Readonly<Record<string, Sample>> = {
  CreateOrder: {
    request: () => ({ ...anOrder(), requestId: randomUUID() }),
    toStrangers: "new_row",
  },
  GetOrder: { request: () => ({ orderId }), toStrangers: "hidden" },
  ListOrders: { request: () => ({}), toStrangers: "own_rows" },
  ListProducts: { request: () => ({}), toStrangers: "same" },
  InitiatePayment: {
    request: () => ({ orderId, attemptNumber: 1, customerId: alice.id, amount: total }),
    toStrangers: "refused",
  },
  CheckPaymentStatus: { request: () => ({ paymentId }), toStrangers: "hidden" },
  SendEmail: {
    request: () => ({ ...mail, to: alice.email, requestId: randomUUID() }),
    toStrangers: "new_row",
  },
  SendSMS: {
    request: () => ({ to: "+4915112345678", text: "Hello", requestId: randomUUID() }),
    toStrangers: "new_row",
  },
  GetNotification: { request: () => ({ notificationId }), toStrangers: "hidden" },
  ListNotifications: { request: () => ({ orderId }), toStrangers: "own_rows" },
  GetEventStatus: { request: () => ({}), toStrangers: "same" },
  ListDeadLetters: { request: () => ({}), toStrangers: "same" },
  GetDeadLetter: {
    request: () => ({ eventId: nothing.eventId }),
    toStrangers: "same",
    toAdmitted: "not_found",
  },
  ReplayDeadLetters: { request: () => ({ eventKey, dryRun: true }), toStrangers: "same" },
  SkipDeadLetter: { request: () => nothing, toStrangers: "same", toAdmitted: "not_found" },
  ListHeldKeys: { request: () => ({}), toStrangers: "same" },
  ListParkedEvents: { request: () => ({}), toStrangers: "same" },
  ReleaseParkedEvents: {
    request: () => ({ eventKey, reason: nothing.reason }),
    toStrangers: "same",
    toAdmitted: "not_found",
  },
  SkipParkedEvent: { request: () => nothing, toStrangers: "same", toAdmitted: "not_found" },
  ReplayTopic: {
    request: () => ({ topic: eventKey.topic }),
    toStrangers: "same",
    toAdmitted: "failed_precondition",
  },
  ListAuditEntries: { request: () => ({}), toStrangers: "same" },
};

interface Caller {
  readonly kind: "anonymous" | "customer" | "operator" | "service";
  /** Of a service, its name. */
  readonly service?: ServiceName;
  /** Whether the row is this caller's, or of the customer for whom the service acts; an operator sees them all. */
  readonly owns: boolean;
  readonly token: (audience: string) => Promise<string | undefined> | string | undefined;
}

const callers: Readonly<Record<string, Caller>> = {
  "its owner": { kind: "customer", owns: true, token: () => alice.token },
  "another customer": { kind: "customer", owns: false, token: () => bob.token },
  "somebody without a token": { kind: "anonymous", owns: false, token: () => undefined },
  "an operator": { kind: "operator", owns: true, token: () => tokens.operator },
  ...Object.fromEntries(
    CALLING.flatMap((service) => [
      [`the service ${service}`, asService(service, true, () => undefined)],
      [`the service ${service} for its owner`, asService(service, true, () => alice.id)],
      [`the service ${service} for another customer`, asService(service, false, () => bob.id)],
    ]),
  ),
};

function asService(
  service: ServiceName,
  owns: boolean,
  onBehalfOf: () => string | undefined,
): Caller {
  return {
    kind: "service",
    service,
    owns,
    token: (audience) => serviceToken(place, service, audience, onBehalfOf()),
  };
}

/** What the contract says about this caller of this RPC. */
function expected(method: DescMethod, caller: Caller): string {
  const rule = getOption(method, access);
  if (rule.public) return "ok";
  const { kind, service } = caller;
  if (kind === "anonymous") return "unauthenticated";
  const admitted = kind === "service" ? rule.services.includes(service ?? "") : rule[kind];
  if (!admitted) return "permission_denied";
  const { toStrangers, toAdmitted = "ok" } = samples[method.name] ?? {};
  if (caller.owns) return toAdmitted;
  if (toStrangers === "hidden") return "not_found";
  return toStrangers === "refused" ? "permission_denied" : "ok";
}

const rpcs = SERVED.flatMap(([service, { methods }]) =>
  methods.map((method) => ({ name: method.name, service, method })),
);

test("every RPC of the contract is among those that are tried", () => {
  const tried = new Set(rpcs.map(({ name }) => name));
  expect([...tried].toSorted()).toEqual(Object.keys(samples).toSorted());
});

describe.each(rpcs)("$name of $service", ({ service, method }) => {
  const call = async (url: string, token: string | undefined) => {
    const body = samples[method.name]?.request();
    const path = `/${method.parent.typeName}/${method.name}`;
    return await ask(`${url}${path}`, { body, ...(token !== undefined && { token }) });
  };

  test.each(Object.keys(callers))("asked by %s", async (name) => {
    const caller = callers[name];
    if (caller === undefined) throw new Error(name);

    const answer = await call(services[service].url, await caller.token(service));

    const { code = "ok" } = answer.json as { code?: string };
    expect(code).toBe(expected(method, caller));
    if (!caller.owns && samples[method.name]?.toStrangers !== "new_row") {
      expect(answer.text).not.toContain(alice.email);
      expect(answer.text).not.toContain(alice.id);
    }
  });

  test("asked through the gateway, by people and by services that do not belong there", async () => {
    for (const caller of Object.values(callers)) {
      // A service's token is meant for one service; the gateway is none that is called by services.
      const wanted = caller.kind === "service" ? "unauthenticated" : expected(method, caller);

      const answer = await call(services.gateway.url, await caller.token(service));

      if (method.parent === EventAdminService) {
        expect(answer.status).toBe(404); // it is not routed: operators ask the service itself
        continue;
      }
      const { code = "ok" } = answer.json as { code?: string };
      expect(code).toBe(wanted);
    }
  });
});
