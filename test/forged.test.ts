// The promise: nobody speaks as someone else: neither with a token that nobody gave them, nor as Stripe.
import { randomBytes, randomUUID } from "node:crypto";
import { exportJWK, generateKeyPair } from "jose";
import { Stripe } from "stripe";
import { beforeAll, describe, expect, inject, test } from "vitest";
import { SERVICE_ISSUER } from "../src/platform/access/minter.ts";
import { leaksNothing, rowsOf } from "./harness/bad-input.ts";
import { ask, type Answer } from "./harness/http.ts";
import {
  newCustomer,
  type Person,
  readKey,
  serviceToken,
  signed,
  userClaims,
  userToken,
  webhookSecret,
} from "./harness/people.ts";
import { query } from "./harness/rows.ts";
import { anOrder, anUnpaidOrder, getOrder, placeOrder } from "./harness/shop.ts";
import { OrderStatus } from "../gen/waybill/order/v1/order_pb.js";

const place = inject("shared");
const { gateway, services } = place.stack;
const HOUR_S = 3600;
const now = Math.floor(Date.now() / 1000);

const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
const tokens: Record<string, (sub: string) => Promise<string> | string> = {
  "signed with a key of one's own": async (sub) => {
    const { privateKey } = await generateKeyPair("EdDSA", { extractable: true });
    return signed({ ...(await exportJWK(privateKey)), kid: "users/1" }, userClaims({ sub }));
  },
  "signed with an unknown key": async (sub) => {
    const { privateKey } = await generateKeyPair("EdDSA", { extractable: true });
    return signed({ ...(await exportJWK(privateKey)), kid: "users/2" }, userClaims({ sub }));
  },
  "signed with a service's key": (sub) => signed(readKey(place, "order"), userClaims({ sub })),
  "of a service, signed with the users' key": () =>
    signed(
      readKey(place, "users"),
      userClaims({ sub: "order", iss: SERVICE_ISSUER, aud: "order" }),
    ),
  "whose claims were changed afterwards": async (sub) => {
    const [header, , signature] = (await userToken(place, { sub: "mallory" })).split(".");
    return `${header}.${base64(userClaims({ sub }))}.${signature}`;
  },
  "that is not signed": (sub) => `${base64({ alg: "none" })}.${base64(userClaims({ sub }))}.`,
  "that says it is signed by none": (sub) =>
    `${base64({ alg: "none", kid: "users/1" })}.${base64(userClaims({ sub }))}.AAAA`,
  "that has expired": (sub) => userToken(place, { sub, exp: now - HOUR_S }),
  "that is not good yet": (sub) => userToken(place, { sub, nbf: now + HOUR_S }),
  "that is good for ever": (sub) => {
    const { exp: _end, ...claims } = userClaims({ sub });
    return signed(readKey(place, "users"), claims);
  },
  "for somewhere else": (sub) => userToken(place, { sub, aud: "another-shop" }),
  "of somebody else": (sub) => userToken(place, { sub, iss: "https://evil.example" }),
  "that names nobody": () => userToken(place, { sub: "" }),
  "that is none": () => "alice",
};

describe("a token", () => {
  let alice: Person;
  let orderId: string;
  beforeAll(async () => {
    alice = await newCustomer(place);
    orderId = (await placeOrder(place, alice)).order.id;
  });

  test.each(Object.keys(tokens))("%s opens nothing, at any port", async (kind) => {
    const token = await tokens[kind]?.(alice.id);
    const stranger = await newCustomer(place);
    const asked = { token: token ?? "", body: { orderId } };

    const answers = [
      await ask(`${gateway}/v1/orders/${orderId}`, { token: asked.token }),
      await ask(`${gateway}/v1/orders`, { token: asked.token, body: anOrder() }),
      await ask(`${gateway}/waybill.order.v1.OrderService/GetOrder`, asked),
      await ask(`${services.order.url}/waybill.order.v1.OrderService/GetOrder`, asked),
    ];

    for (const answer of answers) {
      expect(answer.status).toBe(401);
      expect(answer.json).toMatchObject({ code: "unauthenticated" });
      leaksNothing(answer.text);
    }
    expect(await rowsOf(place, stranger.id)).toMatchObject({ orders: 0 });
    expect(await rowsOf(place, alice.id)).toMatchObject({ orders: 1 });
  });

  test("is needed", async () => {
    const answer = await ask(`${gateway}/v1/orders`, { body: anOrder() });

    expect(answer.status).toBe(401);
    expect(answer.json).toMatchObject({ code: "unauthenticated", status: 401 });
  });

  test.each([
    ["another service", "payment", "order"],
    ["the gateway", "order", "gateway"],
  ])("of a service that is meant for %s is refused", async (_, from, audience) => {
    const token = await serviceToken(place, from, audience);

    const { status } = await ask(
      `${services.payment.url}/waybill.payment.v1.PaymentService/CheckPaymentStatus`,
      { token, body: { orderId } },
    );

    expect(status).toBe(401);
  });

  test("that Payment signed as Order is refused", async () => {
    const claims = { iss: SERVICE_ISSUER, aud: "payment", sub: "order", exp: now + HOUR_S };
    const token = await signed(readKey(place, "payment"), claims);

    const { status } = await ask(
      `${services.payment.url}/waybill.payment.v1.PaymentService/CheckPaymentStatus`,
      { token, body: { orderId } },
    );

    expect(status).toBe(401);
  });
});

describe("a webhook", () => {
  const SECONDS_TOO_FAR = 600;
  const ports = [
    ["the gateway", gateway],
    ["Payment itself", services.payment.url],
  ] as const;

  interface Delivery {
    readonly id: string;
    readonly payload: string;
  }

  /** An event that says the order's payment succeeded. */
  function paidEvent(orderId: string, clientSecret: string): Delivery {
    const id = `evt_${randomUUID().replaceAll("-", "")}`;
    const [intent] = clientSecret.split("_secret_");
    const object = {
      id: intent,
      object: "payment_intent",
      status: "succeeded",
      amount_received: 2450,
      currency: "eur",
      metadata: { order_id: orderId },
    };
    const event = { id, object: "event", type: "payment_intent.succeeded", data: { object } };
    return { id, payload: JSON.stringify(event) };
  }

  const header = (payload: string, secret: string, timestamp = Math.floor(Date.now() / 1000)) =>
    Stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp });

  const forgeries: Record<string, (payload: string, secret: string) => [string, string?]> = {
    "without a signature": (payload) => [payload],
    "with a signature of nonsense": (payload) => [payload, "t=1,v1=abc"],
    "signed with another secret": (payload) => [
      payload,
      header(payload, `whsec_${randomBytes(24).toString("hex")}`),
    ],
    "that was changed after it was signed": (payload, secret) => [
      payload.replace("2450", "2451"),
      header(payload, secret),
    ],
    "with another layout than was signed": (payload, secret) => [
      JSON.stringify(JSON.parse(payload), null, 2),
      header(payload, secret),
    ],
    "signed long ago": (payload, secret) => [
      payload,
      header(payload, secret, Math.floor(Date.now() / 1000) - SECONDS_TOO_FAR),
    ],
    "signed in the future": (payload, secret) => [
      payload,
      header(payload, secret, Math.floor(Date.now() / 1000) + SECONDS_TOO_FAR),
    ],
    "that is no event": (_, secret) => ["beans", header("beans", secret)],
    "that is empty": (_, secret) => ["", header("", secret)],
  };

  describe.each(ports)("at %s", (_name, url) => {
    test.each(Object.keys(forgeries))("%s is refused, and nothing is stored", async (kind) => {
      const alice = await newCustomer(place);
      const { order, payment } = await placeOrder(place, alice, anUnpaidOrder());
      const event = paidEvent(order.id, payment.clientSecret);
      const [body = "", signature] = forgeries[kind]?.(event.payload, webhookSecret(place)) ?? [];

      const headers = signature === undefined ? {} : { "stripe-signature": signature };
      const answer: Answer = await ask(`${url}/webhooks/stripe`, { body, headers });

      expect(answer.status).toBe(400);
      expect(answer.json).toMatchObject({ status: 400, code: "invalid_argument" });
      leaksNothing(answer.text);
      const stored = "select id from stripe_events where id = $1 or payload::text like $2";
      const rows = await query(place, "payment", stored, [event.id, `%${event.id}%`]);
      expect(rows).toEqual([]);
      expect((await getOrder(place, alice, order.id)).order.status).toBe(OrderStatus.PENDING);
    });
  });
});
