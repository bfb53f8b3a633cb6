// Once for the whole run: PostgreSQL, Kafka, and a stack that the tests share, one file after the other.
import { findBackends } from "../../dev/backends/find.ts";
import type { TestProject } from "vitest/node";
import { openControl } from "./control.ts";
import type { Servers } from "./place.ts";
import { openFolder, openStack } from "./stack.ts";

/** With one of these the services would speak to the real providers. */
const PROVIDER_KEYS = ["STRIPE_SECRET_KEY", "RESEND_API_KEY", "TWILIO_AUTH_TOKEN"];

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  for (const key of PROVIDER_KEYS) Reflect.deleteProperty(process.env, key);
  await using parts = new AsyncDisposableStack();
  const folder = parts.use(openFolder());
  const say = (line: string) => console.log(`tests: ${line}`);
  const found = parts.use(await findBackends({ home: folder.path, say, copyUnreachable: true }));
  const servers: Servers = {
    postgresUrl: found.postgres.url,
    brokers: [...found.kafka.brokers],
    areGiven: found.postgres.kind === "given" || found.kafka.kind === "given",
  };
  const shared = parts.use(await openStack(servers));
  const control = parts.use(await openControl(shared));
  say(`a stack at ${shared.stack.gateway}`);
  project.provide("servers", servers);
  project.provide("shared", shared.place);
  project.provide("control", control.url);
  const running = parts.move();
  return () => running.disposeAsync();
}
