// The RPC that reads a part of a topic again.
import { toJson, type JsonObject } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import type { PartitionRange } from "../../../gen/waybill/event/v1/event_admin_pb.js";
import {
  ReplayTopicRequestSchema,
  type ReplayTopicRequest,
} from "../../../gen/waybill/event/v1/event_admin_service_pb.js";
import { noteEvents, writeAudit } from "../events/audit.ts";
import type { OffsetRange } from "../events/ports.ts";
import {
  PartitionError,
  replayRanges,
  type ReplayRangeOptions,
  type Ranges,
} from "../events/replay-range.ts";
import { replayTopic, type Replayed, type ReplayOptions } from "../events/replay.ts";
import { namespaced, streamOf } from "../events/stream.ts";
import { Refusal } from "../refusal.ts";
import { auditEntry } from "./change.ts";
import { fullTopic, given, type EventAdminParts } from "./parts.ts";
import { dateOf } from "../time.ts";

/** How long a call may read whose caller names no deadline, in milliseconds. */
const DEFAULT_READ_MS = 20_000;
/** What is kept of the caller's time to end what was begun, and for the answer, in milliseconds. */
const ANSWER_RESERVE_MS = 3_000;

export async function replayTopicOf(
  parts: EventAdminParts,
  request: ReplayTopicRequest,
  context: HandlerContext,
) {
  const consumed = consumedTopic(parts, fullTopic(parts, request.topic));
  const { consumer, subscription, topic } = consumed;
  if (request.force && subscription.repeatable !== true) {
    throw new Refusal(
      "failed_precondition",
      `the handler of ${topic} is not declared repeatable: a second run may do twice what it does; ` +
        "without force, only what was never taken is applied",
      { field: "force" },
    );
  }
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(readMs(context))]);
  const entry = request.apply ? auditEntry(context, changeOf(request)) : undefined;
  const ranges = await rangesOf({
    log: parts.eventLog,
    group: namespaced(parts.namespace, parts.service),
    topic,
    retentionHours: streamOf(subscription.schema, parts.namespace).retentionHours,
    since: request.since && dateOf(request.since),
    until: request.until && dateOf(request.until),
    wanted: wantedRanges(request),
  });
  const key = given(request.key);
  const replay: Omit<ReplayOptions, "apply"> = {
    consumer: consumer.parts,
    log: parts.eventLog,
    topic,
    subscription,
    ranges,
    key,
    signal,
    repeat: request.force,
  };
  if (entry === undefined) return toResponse(await replayTopic({ ...replay, apply: false }));
  // A replay is many transactions. Its note is there before the first, and tells in the end how far it came.
  await parts.db.transaction((tx) => writeAudit(tx, { ...entry, events: 0 }));
  const replayed = await replayTopic({ ...replay, apply: true });
  await noteEvents(parts.db, entry.id, replayed.counts.read - replayed.counts.known);
  return toResponse(replayed);
}

async function rangesOf(o: ReplayRangeOptions): Promise<Ranges> {
  try {
    return await replayRanges(o);
  } catch (error) {
    if (!(error instanceof PartitionError)) throw error;
    throw new Refusal("invalid_argument", error.message, { field: "partition_ranges" });
  }
}

function consumedTopic(parts: EventAdminParts, topic: string) {
  const consumer = parts.consumer();
  const topics = [...(consumer?.parts.app.subscriptions.keys() ?? [])];
  const subscription = consumer?.parts.app.subscriptions.get(topic);
  if (consumer === undefined || subscription === undefined) {
    const known = topics.length === 0 ? "it consumes none" : `it consumes ${topics.join(", ")}`;
    throw new Refusal(
      "failed_precondition",
      `the service ${parts.service} does not consume ${topic}: ${known}`,
      { field: "topic" },
    );
  }
  return { consumer, subscription, topic };
}

const readMs = (context: HandlerContext): number =>
  Math.max(0, (context.timeoutMs() ?? DEFAULT_READ_MS + ANSWER_RESERVE_MS) - ANSWER_RESERVE_MS);

function changeOf(request: ReplayTopicRequest) {
  const { reason, ...subject } = toJson(ReplayTopicRequestSchema, request) as JsonObject;
  return { subject, reason: typeof reason === "string" ? reason : "" };
}

function wantedRanges({ partitionRanges, since, until }: ReplayTopicRequest): Ranges | undefined {
  const isEmpty = since !== undefined && until !== undefined && dateOf(since) >= dateOf(until);
  if (isEmpty)
    throw new Refusal("invalid_argument", "until must be after since", { field: "until" });
  if (partitionRanges.length === 0) return undefined;
  const wanted = new Map<number, OffsetRange>();
  for (const [place, { partition, fromOffset, endOffset }] of partitionRanges.entries()) {
    const field = `partition_ranges[${place}]`;
    if (fromOffset >= endOffset)
      throw new Refusal("invalid_argument", "end_offset must be more than from_offset", { field });
    if (wanted.has(partition))
      throw new Refusal("invalid_argument", `partition ${partition} is named twice`, { field });
    wanted.set(partition, { from: fromOffset, end: endOffset });
  }
  return wanted;
}

function toResponse({ counts, read, next }: Replayed) {
  return {
    readCount: BigInt(counts.read),
    knownCount: BigInt(counts.known),
    appliedCount: BigInt(counts.applied),
    forcedCount: BigInt(counts.forced),
    ignoredCount: BigInt(counts.ignored),
    heldCount: BigInt(counts.held),
    deadCount: BigInt(counts.dead),
    readRanges: toRanges(read),
    nextRanges: toRanges(next),
  };
}

const toRanges = (ranges: Ranges): Omit<PartitionRange, "$typeName">[] =>
  [...ranges].map(([partition, { from, end }]) => ({
    partition,
    fromOffset: from,
    endOffset: end,
  }));
