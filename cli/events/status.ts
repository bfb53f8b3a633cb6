// events status: how the events flow, and what is stuck.
import { toJson } from "@bufbuild/protobuf";
import { durationMs, type Duration } from "@bufbuild/protobuf/wkt";
import { EventStatusSchema, type EventStatus } from "../../gen/waybill/event/v1/event_admin_pb.js";
import { age, counted, facts } from "../table.ts";
import { askAll, type Call, type Command, type Outcome } from "./command.ts";

export const status: Command = {
  name: "status",
  usage: "",
  summary: "how the events flow, and what is stuck: the first look",
  options: {},
  run: showStatus,
};

async function showStatus({ targets }: Call): Promise<Outcome> {
  const { answers, problems } = await askAll(targets, async (admin) => {
    const { status: found } = await admin.getEventStatus({});
    if (found === undefined) throw new Error("an answer without a status");
    return found;
  });
  return {
    text: answers.map(({ answer }) => describe(answer)).join("\n\n"),
    json: { services: answers.map(({ answer }) => toJson(EventStatusSchema, answer)) },
    problems,
  };
}

const since = (duration: Duration | undefined): string =>
  age(duration === undefined ? undefined : durationMs(duration));

function describe(s: EventStatus): string {
  const leased = s.outboxShards.filter((shard) => shard.leaseUntil !== undefined).length;
  const dead = `${counted(s.deadLetterCount, "event")}, ${counted(s.quarantinedKeyCount, "key")} stuck behind them`;
  return [
    s.service,
    facts([
      ["  to send", unsent(s)],
      [
        "  relays",
        `${s.liveRelayCount} live, ${leased} of ${s.outboxShards.length} shards taken; ` +
          `oldest transaction ${since(s.oldestTransactionAge)}`,
      ],
      ["  to read", unread(s)],
      ["  dead", s.deadLetterCount === 0n ? "none" : `${dead}: events dead list`],
      [
        "  waiting",
        s.waitingEventCount === 0n
          ? "none"
          : `${counted(s.waitingEventCount, "event")}, the oldest for ${since(s.oldestWaitingAge)}: events keys`,
      ],
      [
        "  parked",
        s.parkedEventCount === 0n
          ? "none"
          : `${counted(s.parkedEventCount, "event")}: events parked list`,
      ],
    ]),
  ].join("\n");
}

function unsent({ outboxBacklogs }: EventStatus): string {
  if (outboxBacklogs.length === 0) return "nothing";
  return outboxBacklogs
    .map(
      ({ topic, eventCount, oldestAge }) =>
        `${topic} ${eventCount}, the oldest for ${since(oldestAge)}`,
    )
    .join("; ");
}

function unread({ consumedPartitions, consumptionProblem }: EventStatus): string {
  if (consumptionProblem !== "") return `not known: ${consumptionProblem}`;
  if (consumedPartitions.length === 0) return "it reads no topic";
  return [...Map.groupBy(consumedPartitions, ({ topic }) => topic)]
    .map(([topic, partitions]) => {
      const lag = partitions.reduce((sum, partition) => sum + partition.lag, 0n);
      return `${topic} ${lag === 0n ? "nothing" : lag} in ${counted(partitions.length, "partition")}`;
    })
    .join("; ");
}
