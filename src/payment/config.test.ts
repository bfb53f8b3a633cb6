// The promise: the Payment service does not start with a real key of Stripe that it would send somewhere else.
import { expect, test } from "vitest";
import { SettingsReader } from "../platform/config.ts";
import { readPaymentConfig } from "./config.ts";

const SETTINGS = {
  STRIPE_WEBHOOK_SECRETS: "whsec_1",
  DATABASE_URL: "postgres://localhost/waybill_payment",
  KAFKA_BROKERS: "localhost:9092",
  WAYBILL_JWKS: "users.json",
  WAYBILL_SERVICE_JWKS: "services.json",
  WAYBILL_JWT_ISSUER: "https://issuer",
  WAYBILL_JWT_AUDIENCE: "waybill",
  WAYBILL_SERVICE_KEY: "payment.jwk.json",
};
const ELSEWHERE = "https://elsewhere.example";

const read = (env: Readonly<Record<string, string>>) =>
  readPaymentConfig(new SettingsReader({ ...SETTINGS, ...env })).stripe;

test.each(["sk_live_51H8abc", "rk_live_51H8abc", "sk_org_51H8abc", "SK_TEST_1", "x sk_test_1"])(
  "%s with an overridden base URL is refused, and the key is not repeated",
  (key) => {
    const start = () => read({ STRIPE_SECRET_KEY: key, STRIPE_BASE_URL: ELSEWHERE });

    expect(start).toThrow(/STRIPE_BASE_URL is set and the provider's key is not a test key/);
    expect(start).not.toThrow(key);
  },
);

test("a real key goes to Stripe itself", () => {
  expect(read({ STRIPE_SECRET_KEY: "sk_live_51H8abc" }).baseUrl).toBeUndefined();
});

test("a test key may go to the sandbox, but not in production", () => {
  const env = { STRIPE_SECRET_KEY: "sk_test_1", STRIPE_BASE_URL: ELSEWHERE };

  expect(read(env).baseUrl).toBe(ELSEWHERE);
  expect(() => read({ ...env, NODE_ENV: "production" })).toThrow(/NODE_ENV is production/);
});
