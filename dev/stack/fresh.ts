// npm start -- --fresh: forgets all that earlier runs left, on servers of our own or of others.
import { createInterface } from "node:readline/promises";
import { databaseName, dropDatabase, STORES } from "../backends/databases.ts";
import { clientOf } from "../backends/kafka-ready.ts";
import { type Say, SetupProblem } from "../backends/problem.ts";
import { endLeftovers, type Home, wipeHome } from "./home.ts";

const TOPICS = ["order-events", "payment-events", "payment-status-updates", "notification-events"];
const GROUPS = ["order", "payment", "notification"];
/** What is typed for the empty namespace. */
const NO_NAMESPACE = "none";

/**
 * Wipes the home and, on servers that the environment names, what this namespace has there.
 * @throws SetupProblem when the namespace was not typed as asked
 */
export async function beginAnew(home: Home, namespace: string, say: Say): Promise<void> {
  const server = process.env["DATABASE_URL"] || undefined;
  const brokers = (process.env["KAFKA_BROKERS"] ?? "").split(",").filter(Boolean);
  if (server !== undefined || brokers.length > 0) await confirm(namespace, { server, brokers });
  await endLeftovers(home);
  if (server !== undefined) {
    for (const store of STORES) await dropDatabase(server, databaseName(store, namespace));
  }
  if (brokers.length > 0) await dropTopics(brokers, namespace === "" ? "" : `${namespace}.`);
  wipeHome(home);
  say(`everything that earlier runs left in ${home.folder} is gone`);
}

async function confirm(
  namespace: string,
  at: { readonly server: string | undefined; readonly brokers: readonly string[] },
): Promise<void> {
  const expected = namespace === "" ? NO_NAMESPACE : namespace;
  const places = [...(at.server === undefined ? [] : [new URL(at.server).host]), ...at.brokers];
  const named = namespace === "" ? `that have no namespace` : `of the namespace "${namespace}"`;
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const question =
    `--fresh deletes the Waybill databases and topics ${named} on ${places.join(" and ")}.\n` +
    `Type ${expected} to go on: `;
  const closed = new Promise<string>((resolve) => terminal.once("close", () => resolve("")));
  const typed = await Promise.race([terminal.question(question), closed]);
  terminal.close();
  if (typed.trim() !== expected) throw new SetupProblem("Nothing was deleted.");
}

async function dropTopics(brokers: readonly string[], prefix: string): Promise<void> {
  const admin = clientOf(brokers).admin();
  try {
    await admin.connect();
    const there = new Set(await admin.listTopics());
    const topics = TOPICS.map((topic) => prefix + topic).filter((topic) => there.has(topic));
    if (topics.length > 0) await admin.deleteTopics({ topics });
    const { groups } = await admin.listGroups();
    const known = new Set(groups.map((group) => group.groupId));
    const ours = GROUPS.map((group) => prefix + group).filter((group) => known.has(group));
    if (ours.length > 0) await admin.deleteGroups(ours);
  } finally {
    await admin.disconnect();
  }
}
