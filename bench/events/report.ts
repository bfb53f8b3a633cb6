// The figures of the event layer as tables for people.
import { describeConditions } from "../conditions.ts";
import type { Latency } from "../percentiles.ts";
import { figure, percent, table } from "../table.ts";
import { processSection } from "../report.ts";
import type { ConsumerResult } from "./consumer.ts";
import { CLIENTS, type CostFigure } from "./cost.ts";
import type { IdleResult } from "./idle.ts";
import type { LatencyResult } from "./latency.ts";
import type { LossFigure } from "./loss.ts";
import type { Rate } from "./meter.ts";
import type { RelayResult } from "./relay.ts";
import type { EventsResult } from "./run.ts";
import type { SnapshotPhase } from "./snapshot.ts";

export function reportEvents(result: EventsResult): string {
  const { conditions, relay, consumer, latency, snapshot, cost, loss, idle } = result;
  const sections = [
    `# Events\n\n${describeConditions(conditions)}`,
    relay && relaySection(relay),
    consumer && consumerSection(consumer),
    latency && latencySection(latency),
    snapshot && snapshotSection(snapshot),
    cost && costSection(cost),
    loss && lossSection(loss),
    idle && idleSection(idle),
  ];
  return sections.filter(Boolean).join("\n\n");
}

const RATE_HEAD = ["events", "events/s", "Node µs", "PostgreSQL µs", "Kafka µs", "others"];
const rateRow = (rate: Rate) => [
  figure(rate.events),
  figure(rate.perSecond),
  figure(rate.nodeMicros),
  figure(rate.postgresMicros),
  figure(rate.kafkaMicros),
  rate.others === undefined ? "–" : percent(rate.others),
];
const LATENCY_HEAD = ["p50 ms", "p99 ms", "max ms"];
const latencyRow = ({ p50, p99, max }: Latency) => [figure(p50), figure(p99), figure(max)];

function relaySection({ broker, database, relay, tenths, profile }: RelayResult): string {
  const rows = [
    ["kafkajs alone, batches of 500", ...rateRow(broker)],
    ["the relay, to a broker that costs nothing", ...rateRow(database)],
    ["the relay", ...rateRow(relay)],
  ];
  const slices = tenths.map((each) => figure(each)).join(", ");
  return [
    `## A backlog of ${figure(relay.events)} rows, drained in ${figure(relay.seconds)} s`,
    table(["CPU per event", ...RATE_HEAD], rows),
    `events/s of each tenth: ${slices}`,
    ...(profile ? [processSection(profile, relay.events, "event")] : []),
  ].join("\n\n");
}

function consumerSection({ broker, consumer, profile }: ConsumerResult): string {
  const rows = [
    ["kafkajs alone, nothing done", ...rateRow(broker)],
    ["the consumer, one row of effect each", ...rateRow(consumer)],
  ];
  return [
    `## A topic of ${figure(consumer.events)} events, applied in ${figure(consumer.seconds)} s`,
    table(["CPU per event", ...RATE_HEAD], rows),
    ...(profile ? [processSection(profile, consumer.events, "event")] : []),
  ].join("\n\n");
}

function latencySection({ perSecond, commit, effect, steps, lost, cost }: LatencyResult): string {
  const rows = [
    ["the transaction that publishes", ...latencyRow(commit)],
    ["**commit → effect committed**", ...latencyRow(effect)],
    ...steps.map(([name, latency]) => [name, ...latencyRow(latency)]),
  ];
  return [
    `## From commit to effect in another process, ${perSecond} events/s`,
    table(["", ...LATENCY_HEAD], rows),
    `${figure(effect.count)} events, ${lost} not arrived; CPU per event: ${figure(cost.nodeMicros)} µs the publishing process, ${figure(cost.postgresMicros)} µs PostgreSQL, ${figure(cost.kafkaMicros)} µs Kafka (the reader's included); other programs used ${cost.others === undefined ? "–" : percent(cost.others)} of the cores`,
  ].join("\n\n");
}

function snapshotSection(phases: readonly SnapshotPhase[]): string {
  const rows = phases.flatMap(({ name, statements }) =>
    statements.map((each) => [
      `${name}: ${each.name}`,
      figure(each.latency.count),
      ...latencyRow(each.latency),
    ]),
  );
  const states = phases.map(({ name, published, rate, deadRows, backlog }) => [
    name,
    figure(published / rate.seconds),
    figure(rate.perSecond),
    figure(backlog),
    figure(deadRows),
    figure(rate.postgresMicros),
    rate.others === undefined ? "–" : percent(rate.others),
  ]);
  const head = ["", "published/s", "sent/s", "backlog", "dead rows", "PostgreSQL µs", "others"];
  return [
    "## The relay's statements while a snapshot is open",
    table(["statement", "count", ...LATENCY_HEAD], rows),
    table(head, states),
  ].join("\n\n");
}

function costSection(cost: readonly CostFigure[]): string {
  const rows = cost.map((each) => [
    each.way,
    figure(each.perSecond),
    figure(each.latency.p50),
    figure(each.latency.p99),
    figure(each.nodeMicros),
    figure(each.postgresMicros),
    figure(each.kafkaMicros),
    each.others === undefined ? "–" : percent(each.others),
  ]);
  const head = ["way", "orders/s", "p50 ms", "p99 ms", "Node µs", "PostgreSQL µs", "Kafka µs"];
  return `## The transaction of an order, ${CLIENTS} clients, in turn\n\n${table([...head, "others"], rows)}`;
}

function lossSection(loss: readonly LossFigure[]): string {
  const rows = loss.map((each) => [
    `${each.killed} killed ${each.kills} times: ${each.way}`,
    figure(each.committed),
    String(each.lost),
    String(each.doubled),
    ...latencyRow(each.waited),
  ]);
  const waits = LATENCY_HEAD.map((name) => `wait ${name}`);
  return `## What is lost\n\n${table(["", "orders committed", "lost", "doubled", ...waits], rows)}`;
}

function idleSection({ processes, profiles }: IdleResult): string {
  const rows = processes.map(({ name, core, wakeUps, memory }) => [
    name,
    percent(core),
    figure(wakeUps),
    figure(memory),
  ]);
  const head = ["process", "of a core", "wake-ups/s", "MiB"];
  return [
    `## A stack at rest\n\n${table(head, rows)}`,
    ...profiles.map((each) => processSection(each, each.wall / 1000, "second")),
  ].join("\n\n");
}
