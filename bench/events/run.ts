// The benchmark of the event layer, part after part: each makes its own ground and leaves nothing to the next.
import type { Say } from "../../dev/backends/problem.ts";
import { type Conditions, conditionsOf } from "../conditions.ts";
import type { BenchOptions } from "../options.ts";
import { openPlace, type Place } from "../place.ts";
import { type ConsumerResult, measureConsumer } from "./consumer.ts";
import { type CostFigure, measureCost } from "./cost.ts";
import { type IdleResult, measureIdle } from "./idle.ts";
import { type LatencyResult, measureLatency } from "./latency.ts";
import { type LossFigure, measureLoss } from "./loss.ts";
import { measureRelay, type RelayResult } from "./relay.ts";
import { measureSnapshot, type SnapshotPhase } from "./snapshot.ts";
import { type EventPart, type EventSizes, FULL, QUICK } from "./sizes.ts";

/** What is set so that the figures mean something, in words. */
const SETTINGS = [
  "each event: order.created of 2 lines, about 300 bytes and 9 headers; one broker, acks from all replicas (1)",
  "topic of 6 partitions; pools of 10 connections; one relay, which has all 16 shards",
];

export interface EventsResult {
  readonly conditions: Conditions;
  readonly relay?: RelayResult;
  readonly consumer?: ConsumerResult;
  readonly latency?: LatencyResult;
  readonly snapshot?: readonly SnapshotPhase[];
  readonly cost?: readonly CostFigure[];
  readonly loss?: readonly LossFigure[];
  readonly idle?: IdleResult;
}

/** `home`: an empty folder for all that it needs. */
export async function runEvents(
  { parts, quick, profiles }: BenchOptions<EventPart>,
  home: string,
  say: Say,
): Promise<EventsResult> {
  await using place = await openPlace(home, say);
  const conditions = await conditionsOf(place, quick, SETTINGS);
  const sizes = quick ? QUICK : FULL;
  const result: Record<string, unknown> = {};
  for (const part of parts) {
    result[part] = await MEASURES[part](place, { ...sizes, profiles }, say);
  }
  return { conditions, ...result };
}

type Measure = (
  place: Place,
  o: EventSizes & { readonly profiles: string | undefined },
  say: Say,
) => Promise<unknown>;

const MEASURES: Readonly<Record<EventPart, Measure>> = {
  relay: measureRelay,
  consumer: measureConsumer,
  latency: (place, o, say) => measureLatency(place, o.latencySeconds, say),
  snapshot: measureSnapshot,
  cost: measureCost,
  loss: (place, o, say) => measureLoss(place, o.lossSeconds, say),
  idle: measureIdle,
};
