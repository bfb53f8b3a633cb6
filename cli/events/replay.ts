// events replay: a part of a topic is read again. A long one takes several calls, each of which says where the next begins.
import { create, toJson, type JsonObject, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { PartitionRange } from "../../gen/waybill/event/v1/event_admin_pb.js";
import {
  ReplayTopicResponseSchema,
  type ReplayTopicRequestSchema,
  type ReplayTopicResponse,
} from "../../gen/waybill/event/v1/event_admin_service_pb.js";
import { counted, facts } from "../table.ts";
import { readTime, UsageError } from "../usage.ts";
import {
  adminOf,
  onlyTarget,
  required,
  text,
  type Call,
  type Command,
  type Outcome,
  type Values,
  string,
} from "./command.ts";

const CALL_LIMIT_MS = 30_000;
const flag = { type: "boolean" } as const;

export const replay: Command = {
  name: "replay",
  usage:
    "--topic T [--since TIME] [--until TIME] [--partition P:FROM-END …] [--key K] [--force] [--apply --reason R]",
  summary: "read a part of a topic again: tell what was never taken, and with --apply apply it",
  options: {
    topic: string,
    since: string,
    until: string,
    partition: { type: "string", multiple: true },
    key: string,
    apply: flag,
    force: flag,
    "dry-run": flag,
  },
  changes: true,
  run: replayTopic,
};

async function replayTopic({ targets, values }: Call): Promise<Outcome> {
  const target = onlyTarget(targets);
  const request = requestOf(values);
  const admin = adminOf(target, CALL_LIMIT_MS);
  let total = create(ReplayTopicResponseSchema);
  for (let next = request; ;) {
    const answer = await admin.replayTopic(next);
    total = sum(total, answer);
    if (answer.nextRanges.length === 0) break;
    if (answer.readRanges.length === 0)
      throw new Error("a call came to its end without reading anything; the broker may be slow");
    // Times were turned into offsets by the first call.
    const { since: _since, until: _until, ...rest } = request;
    next = { ...rest, partitionRanges: answer.nextRanges };
  }
  return {
    text: describe(total, request.apply === true),
    json: {
      service: target.service,
      applied: request.apply === true,
      ...(toJson(ReplayTopicResponseSchema, total) as JsonObject),
    },
  };
}

type Request = MessageInitShape<typeof ReplayTopicRequestSchema>;

function requestOf(values: Values): Request {
  const apply = values["apply"] === true;
  const force = values["force"] === true;
  if (apply && values["dry-run"] === true)
    throw new UsageError("--apply and --dry-run contradict each other");
  const [since, until] = [text(values, "since"), text(values, "until")];
  const partitions = values["partition"];
  return {
    topic: required(values, "topic"),
    ...(since !== undefined && { since: timestampFromDate(readTime("since", since)) }),
    ...(until !== undefined && { until: timestampFromDate(readTime("until", until)) }),
    partitionRanges: Array.isArray(partitions) ? partitions.map(readRange) : [],
    key: text(values, "key") ?? "",
    apply,
    force,
    reason: apply ? required(values, "reason") : "",
  };
}

function readRange(given: string) {
  const [, partition, from, end] = /^(\d{1,6}):(\d{1,18})-(\d{1,18})$/.exec(given) ?? [];
  if (partition === undefined || from === undefined || end === undefined)
    throw new UsageError(
      `--partition ${given}: a part of a partition is 3:1200-1300, without 1300`,
    );
  return { partition: Number(partition), fromOffset: BigInt(from), endOffset: BigInt(end) };
}

function sum(a: ReplayTopicResponse, b: ReplayTopicResponse): ReplayTopicResponse {
  return create(ReplayTopicResponseSchema, {
    readCount: a.readCount + b.readCount,
    knownCount: a.knownCount + b.knownCount,
    appliedCount: a.appliedCount + b.appliedCount,
    forcedCount: a.forcedCount + b.forcedCount,
    ignoredCount: a.ignoredCount + b.ignoredCount,
    heldCount: a.heldCount + b.heldCount,
    deadCount: a.deadCount + b.deadCount,
    readRanges: joined([...a.readRanges, ...b.readRanges]),
  });
}

/** Of each partition one range: what one call leaves, the next one begins with. */
function joined(ranges: readonly PartitionRange[]) {
  return [...Map.groupBy(ranges, ({ partition }) => partition)].map(([partition, parts]) => ({
    partition,
    fromOffset: parts.reduce(
      (least, { fromOffset }) => (fromOffset < least ? fromOffset : least),
      parts[0]?.fromOffset ?? 0n,
    ),
    endOffset: parts.reduce((most, { endOffset }) => (endOffset > most ? endOffset : most), 0n),
  }));
}

function describe(answer: ReplayTopicResponse, applied: boolean): string {
  const ranges = answer.readRanges.map(
    ({ partition, fromOffset, endOffset }) => `${partition}:${fromOffset}-${endOffset}`,
  );
  const lines = facts([
    [
      "read",
      `${counted(answer.readCount, "event")} of ${ranges.length === 0 ? "an empty range" : ranges.join(" ")}`,
    ],
    ["taken before", String(answer.knownCount)],
    [applied ? "applied" : "would be applied", String(answer.appliedCount)],
    ["of these again", String(answer.forcedCount)],
    ["ignored", String(answer.ignoredCount)],
    [applied ? "held" : "would be held", String(answer.heldCount)],
    [applied ? "dead" : "would be dead", String(answer.deadCount)],
  ]);
  return applied ? lines : `${lines}\nNothing was changed. To apply it: --apply --reason "…"`;
}
