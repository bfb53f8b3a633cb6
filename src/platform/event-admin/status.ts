// How the events of a service flow: what its database and the broker say, side by side.
import { create } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  EventStatusSchema,
  type EventStatus,
} from "../../../gen/waybill/event/v1/event_admin_pb.js";
import {
  countLiveRelays,
  countStuck,
  oldestTransactionMs,
  readOutboxBacklogs,
  readShards,
  type OutboxShardRow,
} from "../events/backlog.ts";
import { underlying } from "../events/failure.ts";
import { within } from "../events/loop.ts";
import { readProgress, type PartitionProgress } from "../events/progress.ts";
import { LEASE_MS } from "../events/relay.ts";
import { namespaced } from "../events/stream.ts";
import type { EventAdminParts } from "./parts.ts";

/** How long the broker is waited for: whoever asks may do so because it is away. */
const BROKER_LIMIT_MS = 4_000;

export async function eventStatus(parts: EventAdminParts): Promise<EventStatus> {
  const { db, service } = parts;
  const [backlogs, shards, relays, oldest, stuck, progress] = await Promise.all([
    readOutboxBacklogs(db),
    readShards(db),
    countLiveRelays(db, LEASE_MS),
    oldestTransactionMs(db),
    countStuck(db, service),
    progressOf(parts),
  ]);
  return create(EventStatusSchema, {
    service,
    outboxBacklogs: backlogs.map(({ topic, events, oldest_ms }) => ({
      topic,
      eventCount: BigInt(events),
      oldestAge: durationFromMs(oldest_ms),
    })),
    outboxShards: shards.map(toShard),
    liveRelayCount: relays,
    ...(oldest !== undefined && { oldestTransactionAge: durationFromMs(oldest) }),
    consumedPartitions: progress.partitions.map(({ topic, partition, committed, end, lag }) => ({
      topic,
      partition,
      ...(committed !== undefined && { committedOffset: committed }),
      endOffset: end,
      lag,
    })),
    consumptionProblem: progress.problem,
    deadLetterCount: BigInt(stuck.dead),
    waitingEventCount: BigInt(stuck.waiting),
    quarantinedKeyCount: BigInt(stuck.quarantined),
    parkedEventCount: BigInt(stuck.parked),
    ...(stuck.oldest_waiting_ms !== null && {
      oldestWaitingAge: durationFromMs(stuck.oldest_waiting_ms),
    }),
  });
}

const toShard = ({ shard, owner, lease_ms }: OutboxShardRow) => ({
  shard,
  owner: owner ?? "",
  ...(lease_ms !== null && { leaseUntil: timestampFromMs(lease_ms) }),
});

interface Progress {
  readonly partitions: readonly PartitionProgress[];
  /** Empty: none. */
  readonly problem: string;
}

async function progressOf(parts: EventAdminParts): Promise<Progress> {
  const consumer = parts.consumer();
  if (consumer === undefined) return { partitions: [], problem: "" };
  const group = namespaced(parts.namespace, parts.service);
  const topics = [...consumer.parts.app.subscriptions.keys()];
  try {
    const reading = readProgress(parts.eventLog, group, topics);
    reading.catch(() => undefined); // it may fail after the limit
    const partitions = await within(BROKER_LIMIT_MS, reading);
    if (partitions !== undefined) return { partitions, problem: "" };
    return {
      partitions: [],
      problem: `no broker answered within ${BROKER_LIMIT_MS / 1000} seconds`,
    };
  } catch (error) {
    return { partitions: [], problem: underlying(error).message };
  }
}
