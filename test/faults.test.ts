// The fault suite in short: services, the broker and the database are killed under load, and nothing is lost, doubled or out of order.
import { afterAll, expect, test } from "vitest";
import { killServices } from "./faults/f1-kill-services.ts";
import { killBroker } from "./faults/f4-kill-broker.ts";
import { stopDatabase } from "./faults/f6-stop-database.ts";
import { lostAnswers } from "./faults/f7-lost-answers.ts";
import { findingsOf, type Fault } from "./faults/fault.ts";
import { openSuite } from "./faults/suite.ts";

const SECONDS = 8;
const ORDERS_PER_S = 12;
const PAYMENTS = 20;
const LIMIT_MS = 240_000;
/** Of a run that failed: FAULT_SEED=4711 npm test -- test/faults.test.ts */
const seed = Number(process.env["FAULT_SEED"] ?? Math.floor(Math.random() * 2 ** 31));

/** Told only when something failed. */
const said: string[] = [];
const suite = openSuite({
  seconds: SECONDS,
  rate: ORDERS_PER_S,
  count: PAYMENTS,
  seed,
  say: (line) => said.push(line),
});
afterAll(() => suite[Symbol.asyncDispose]());

async function keepsThePromises(fault: Fault): Promise<void> {
  const { passed, result, broken } = await suite.run(fault);
  if (!passed) console.log(said.join("\n"));
  const findings = result === undefined ? [broken] : findingsOf(result);
  expect(findings, `seed ${seed}`).toEqual([]);
  expect(passed, `seed ${seed}: ${JSON.stringify(result)}`).toBe(true);
}

test(
  "services are killed one after the other: every accepted order is paid, charged and told of once",
  () => keepsThePromises(killServices),
  LIMIT_MS,
);

test(
  "the broker is killed: orders are taken meanwhile, and every event arrives in its order",
  () => keepsThePromises(killBroker),
  LIMIT_MS,
);

test(
  "PostgreSQL stops in the middle of everything: no offset is committed without its effect",
  () => keepsThePromises(stopDatabase),
  LIMIT_MS,
);

test(
  "Stripe's answers are lost and Payment is killed before it writes them down: each payment is charged once, each refund made once",
  () => keepsThePromises(lostAnswers),
  LIMIT_MS,
);
