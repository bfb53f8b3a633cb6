// The figures as tables for people.
import { describeConditions } from "./conditions.ts";
import type { DatabaseLimit } from "./database-limit.ts";
import type { LoadResult } from "./load.ts";
import type { OrdersResult } from "./orders.ts";
import type { PaidResult } from "./paid.ts";
import type { ProfileSummary } from "./profile.ts";
import type { ProfileResult } from "./profiling.ts";
import { figure, percent, table } from "./table.ts";
import type { ToldResult } from "./told.ts";

/** Not part of an order's cost: the one stands in for the providers, the other for the customers. */
const OUTSIDE = new Set(["sandbox", "load generator"]);
const PARTS_SHOWN = 18;

export function report(result: OrdersResult): string {
  const { limit, post, paid, told, profile } = result;
  const sections = [
    `# Orders\n\n${describeConditions(result.conditions)}${othersLine(result)}`,
    post && postSection(post),
    paid && paidSection(paid),
    told && toldSection(told),
    told && cpuSection(told),
    limit && limitSection(limit),
    profile && profileSection(profile),
  ];
  return sections.filter(Boolean).join("\n\n");
}

function othersLine({ others = [] }: OrdersResult): string {
  if (others.length === 0) return "";
  const each = others.map(
    ([part, share]) => `${part} ${share === undefined ? "unknown" : percent(share)}`,
  );
  return `\n- of the cores, other programs used meanwhile: ${each.join(", ")}`;
}

const refusals = (refused: Readonly<Record<string, number>>): string =>
  Object.entries(refused)
    .map(([status, count]) => `${count} × ${status === "0" ? "no answer" : status}`)
    .join(", ") || "none";

function postSection(post: readonly LoadResult[]): string {
  const rows = post.map(({ connections, perSecond, latency, refused }) => [
    connections,
    figure(perSecond),
    figure(latency.p50),
    figure(latency.p99),
    figure(latency.max),
    refusals(refused),
  ]);
  const head = ["connections", "orders/s", "p50 ms", "p99 ms", "max ms", "refused"];
  return `## POST /v1/orders\n\n${table(head, rows)}`;
}

function paidSection({ perSecond, sent, answered, paid, lost }: PaidResult): string {
  const row = (name: string, { p50, p99, max }: PaidResult["paid"]) => {
    return [name, figure(p50), figure(p99), figure(max)];
  };
  const rows = [row("POST answered", answered), row("POST → seen PAID", paid)];
  const note = `${sent} orders, ${lost} of them not accepted or not PAID within 30 s`;
  return `## From POST to PAID at ${perSecond}/s\n\n${table(["", "p50 ms", "p99 ms", "max ms"], rows)}\n\n${note}`;
}

function toldSection(told: ToldResult): string {
  const { orders, acceptedAfter, paidAfter, toldAfter, perSecond, refused } = told;
  const rows = [
    ["accepted", figure(acceptedAfter), figure(orders / acceptedAfter)],
    ["PAID", figure(paidAfter), figure(orders / paidAfter)],
    ["PAID and told", figure(toldAfter), figure(perSecond)],
  ];
  const lost = `refused: ${refusals(refused)}`;
  return `## ${orders} orders brought to their end\n\n${table(["all", "after s", "orders/s"], rows)}\n\n${lost}`;
}

function cpuSection({ cpu, orders }: ToldResult): string {
  const each = (seconds: number) => figure((seconds / orders) * 1000);
  const inside = cpu.filter(([name]) => !OUTSIDE.has(name));
  const outside = cpu.filter(([name]) => OUTSIDE.has(name));
  const sum = inside.reduce((total, [, seconds]) => total + seconds, 0);
  const rows = [
    ...inside.map(([name, seconds]) => [name, each(seconds), percent(seconds / sum)]),
    ["together", each(sum), percent(1)],
    ...outside.map(([name, seconds]) => [`(${name})`, each(seconds), ""]),
  ];
  return `## CPU of these orders, from POST to the last mail\n\n${table(["process", "CPU ms per order", "share"], rows)}`;
}

function limitSection({ by, figures }: DatabaseLimit): string {
  const rows = figures.map(({ manner, clients, perSecond, latency, postgresMicros }) => [
    manner === "steps" ? "begin, 4 statements, commit" : "one statement",
    clients,
    figure(perSecond),
    figure(latency.p50),
    figure(latency.p99),
    figure(postgresMicros),
  ]);
  const head = [
    "the rows of one order, prepared",
    "clients",
    "orders/s",
    "p50 ms",
    "p99 ms",
    "PostgreSQL µs",
  ];
  return `## The limit: PostgreSQL alone, by ${by}\n\n${table(head, rows)}`;
}

function profileSection({ load, processes }: ProfileResult): string {
  const about = `${load.connections} connections, ${load.accepted} orders, with the profiler on (it slows all down: the shares count)`;
  return [
    `## Where the time goes\n\n${about}`,
    ...processes.map((each) => processSection(each, load.accepted)),
  ].join("\n\n");
}

/** `count`: of orders or events, by which the time is divided. */
export function processSection(summary: ProfileSummary, count: number, what = "order"): string {
  const { process, busy, wall, parts, functions } = summary;
  const each = (milliseconds: number) => figure((milliseconds * 1000) / count);
  const byPart = parts
    .slice(0, PARTS_SHOWN)
    .map(({ name, self, withNode }) => [
      name,
      percent(self / busy),
      percent(withNode / busy),
      each(withNode),
    ]);
  const byFunction = functions.map(({ name, self }) => [name, percent(self / busy), each(self)]);
  return [
    `### ${process}: busy ${percent(busy / wall)} of the time, ${each(busy)} µs per ${what}`,
    table(["part", "self", "with Node beneath", `µs per ${what}`], byPart),
    table(["function", "self", `µs per ${what}`], byFunction),
  ].join("\n\n");
}
