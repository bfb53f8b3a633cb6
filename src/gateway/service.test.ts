import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createLog } from "../platform/log.ts";
import { openIssuer, type Issuer } from "../platform/access/issuer.fixture.ts";
import type { RunningService } from "../platform/run.ts";
import type { GatewayConfig } from "./config.ts";
import { startGateway } from "./service.ts";

/** Nothing listens there: what needs a service is answered 503. */
const NOWHERE = "http://127.0.0.1:1";

let issuer: Issuer;
beforeAll(async () => {
  issuer = await openIssuer();
});
afterAll(() => issuer[Symbol.asyncDispose]());

function aGateway(settings: Partial<GatewayConfig>): Promise<RunningService> {
  const config: GatewayConfig = {
    service: "gateway",
    host: "127.0.0.1",
    port: 0,
    logLevel: "silent",
    orderUrl: NOWHERE,
    paymentUrl: NOWHERE,
    notificationUrl: NOWHERE,
    identity: issuer,
    rateLimitPerPrincipal: 1000,
    rateLimitPerAddress: 2000,
    bodyLimitBytes: 1024,
    corsOrigins: [],
    trustedProxies: [],
    ...settings,
  };
  return startGateway(config, createLog("gateway", "silent"));
}

/** Far more at once than a limit of 3 a second lets through, however slow the machine. */
const manyAnswers = (url: string, more: RequestInit = {}): Promise<Response[]> =>
  Promise.all(Array.from({ length: 40 }, () => fetch(`${url}/v1/nowhere`, more)));

describe("over its rate limit", () => {
  it("an address is told so, and when to come again", async () => {
    await using gateway = await aGateway({ rateLimitPerAddress: 3 });

    const answers = await manyAnswers(gateway.url);

    const refused = answers.find(({ status }) => status === 429);
    expect(answers.map(({ status }) => status)).toContain(404);
    expect(refused?.headers.get("retry-after")).toBe("1");
    expect(refused?.headers.get("content-type")).toMatch(/^application\/problem\+json/);
    expect(await refused?.json()).toMatchObject({ status: 429, code: "resource_exhausted" });
  });

  it("a customer is told so, and another one is served", async () => {
    await using gateway = await aGateway({ rateLimitPerPrincipal: 3 });
    const as = async (sub: string) => ({
      headers: { authorization: await issuer.header({ sub }) },
    });

    const answers = await manyAnswers(gateway.url, await as("alice"));
    const bobs = await fetch(`${gateway.url}/v1/nowhere`, await as("bob"));

    expect(answers.map(({ status }) => status)).toContain(429);
    expect(bobs.status).toBe(404);
  });
});

describe("a page of another origin", () => {
  const from = (origin: string) => ({
    method: "OPTIONS",
    headers: { origin, "access-control-request-method": "PUT" },
  });

  it("that is allowed may call", async () => {
    await using gateway = await aGateway({ corsOrigins: ["https://shop.example"] });

    const answer = await fetch(`${gateway.url}/v1/orders`, from("https://shop.example"));

    expect(answer.status).toBe(204);
    expect(answer.headers.get("access-control-allow-origin")).toBe("https://shop.example");
    expect(answer.headers.get("access-control-allow-methods")).toContain("PUT");
  });

  it("that is not allowed may not", async () => {
    await using gateway = await aGateway({ corsOrigins: ["https://shop.example"] });

    const answer = await fetch(`${gateway.url}/v1/orders`, from("https://evil.example"));

    expect(answer.headers.get("access-control-allow-origin")).toBeNull();
  });
});

it("OPTIONS says what a route takes", async () => {
  await using gateway = await aGateway({});

  const answer = await fetch(`${gateway.url}/v1/orders`, { method: "OPTIONS" });

  expect([answer.status, answer.headers.get("allow")]).toEqual([204, "GET, HEAD, OPTIONS, POST"]);
});

it("a service that is away is a 503, and the gateway stays healthy", async () => {
  await using gateway = await aGateway({});

  const answer = await fetch(`${gateway.url}/v1/products`);
  const health = await fetch(`${gateway.url}/grpc.health.v1.Health/Check`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: "{}",
  });

  expect(answer.status).toBe(503);
  expect(await answer.text()).not.toMatch(/127\.0\.0\.1|ECONN/);
  expect(await health.json()).toEqual({ status: "SERVING" });
});
