// The promise: one environment variable does not send the keys of real providers somewhere else.
import { describe, expect, test } from "vitest";
import { SettingsError, SettingsReader } from "./config.ts";
import { readProviderBaseUrl } from "./provider.ts";

const SANDBOX = "http://127.0.0.1:12111";

function read(env: Readonly<Record<string, string>>, isTestKey: boolean): string | undefined {
  const reader = new SettingsReader(env);
  const url = readProviderBaseUrl(reader, "STRIPE_BASE_URL", isTestKey);
  reader.done();
  return url;
}

describe("the base URL of a provider", () => {
  test("is the provider's own where nothing is set, with any key", () => {
    expect(read({}, false)).toBeUndefined();
    expect(read({ NODE_ENV: "production" }, false)).toBeUndefined();
  });

  test("may be the sandbox's with a test key", () => {
    expect(read({ STRIPE_BASE_URL: SANDBOX }, true)).toBe(SANDBOX);
  });

  test("is refused with a key that is not a test key", () => {
    expect(() => read({ STRIPE_BASE_URL: SANDBOX }, false)).toThrow(/not a test key/);
  });

  test("is refused in production, whatever the key", () => {
    const env = { STRIPE_BASE_URL: SANDBOX, NODE_ENV: "production" };

    expect(() => read(env, true)).toThrow(SettingsError);
  });

  test("is refused where it is none", () => {
    expect(() => read({ STRIPE_BASE_URL: "sandbox" }, true)).toThrow(/must be a URL/);
  });
});
