// events dead …: the events that failed for good.
import { timestampDate, timestampFromDate } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { DeadLetterSchema, type EventContent } from "../../gen/waybill/event/v1/event_admin_pb.js";
import {
  GetDeadLetterResponseSchema,
  SkipDeadLetterResponseSchema,
  type GetDeadLetterResponse,
} from "../../gen/waybill/event/v1/event_admin_service_pb.js";
import { counted, facts, time } from "../table.ts";
import { readTime, UsageError } from "../usage.ts";
import {
  adminOf,
  askAll,
  onlyOperand,
  onlyTarget,
  required,
  string,
  text,
  type Call,
  type Command,
  type Outcome,
  type Values,
} from "./command.ts";
import { LIST_OPTIONS, named, showList } from "./list.ts";

export const deadCommands: readonly Command[] = [
  {
    name: "dead list",
    usage: "[--topic T] [--key K] [--type T] [--since TIME] [--until TIME] [--limit N]",
    summary: "the events that failed for good",
    options: {
      topic: string,
      key: string,
      type: string,
      since: string,
      until: string,
      ...LIST_OPTIONS,
    },
    run: listDead,
  },
  {
    name: "dead show",
    usage: "EVENT_ID",
    summary: "one of them: what it says, and what was thrown",
    operand: "EVENT_ID",
    options: {},
    run: showDead,
  },
  {
    name: "dead replay",
    usage: "(EVENT_ID | --topic T --key K | --since TIME) --reason R [--dry-run]",
    summary: "try them again: one, those of a key, or those that died since",
    operand: "EVENT_ID",
    options: { topic: string, key: string, since: string, "dry-run": { type: "boolean" } },
    changes: true,
    run: replayDead,
  },
  {
    name: "dead skip",
    usage: "EVENT_ID --reason R",
    summary: "give one up: it is never applied, and its key goes on",
    operand: "EVENT_ID",
    options: {},
    changes: true,
    run: skipDead,
  },
];

const moment = (values: Values, option: string) => {
  const given = text(values, option);
  return given === undefined ? undefined : timestampFromDate(readTime(option, given));
};

async function listDead(call: Call): Promise<Outcome> {
  const { values } = call;
  const [deadSince, deadUntil] = [moment(values, "since"), moment(values, "until")];
  const filter = {
    topic: text(values, "topic") ?? "",
    key: text(values, "key") ?? "",
    type: text(values, "type") ?? "",
    ...(deadSince && { deadSince }),
    ...(deadUntil && { deadUntil }),
  };
  return await showList(call, {
    schema: DeadLetterSchema,
    name: "deadLetters",
    head: ["event", "type", "topic", "key", "seq", "dead since", "behind it", "reason"],
    empty: "No event is dead.",
    async page(admin, page) {
      const { deadLetters, nextPageToken } = await admin.listDeadLetters({ ...filter, ...page });
      return { rows: deadLetters, nextPageToken };
    },
    row: (dead) => [
      dead.eventId,
      dead.type,
      dead.topic,
      dead.key,
      String(dead.sequence),
      time(dead.deadTime && timestampDate(dead.deadTime)),
      String(dead.laterEventCount),
      dead.reason,
    ],
  });
}

async function showDead({ targets, operands }: Call): Promise<Outcome> {
  const eventId = onlyOperand(operands, "EVENT_ID");
  const { answers, problems } = await askAll(targets, async (admin) => {
    try {
      return await admin.getDeadLetter({ eventId });
    } catch (error) {
      if (ConnectError.from(error).code === Code.NotFound) return undefined;
      throw error;
    }
  });
  const found = answers.flatMap(({ service, answer }) =>
    answer === undefined ? [] : [{ service, answer }],
  );
  const missing = { service: targets.map(({ service }) => service).join(", "), code: "not_found" };
  return {
    text: found.map(({ service, answer }) => describe(service, answer)).join("\n\n"),
    json: {
      deadLetters: found.map(({ service, answer }) =>
        named(service, GetDeadLetterResponseSchema, answer),
      ),
    },
    problems:
      found.length > 0 || problems.length > 0
        ? problems
        : [{ ...missing, message: `there is no dead letter ${eventId}` }],
  };
}

function describe(service: string, { deadLetter, error, content }: GetDeadLetterResponse): string {
  if (deadLetter === undefined) throw new Error("an answer without a dead letter");
  const d = deadLetter;
  return [
    facts([
      ["service", service],
      ["event", `${d.eventId} ${d.type}`],
      ["key", `${d.key}, number ${d.sequence}`],
      ["read from", `${d.topic}, partition ${d.partition}, offset ${d.offset}`],
      ["held since", time(d.createTime && timestampDate(d.createTime))],
      ["dead since", time(d.deadTime && timestampDate(d.deadTime))],
      ["tried", counted(d.attemptCount, "time")],
      ["behind it", counted(d.laterEventCount, "event")],
      ["reason", d.reason],
    ]),
    "",
    "headers",
    ...(content?.headers ?? []).map(
      ({ name, value }) => `  ${name}: ${value.case === "text" ? value.value : "(binary)"}`,
    ),
    "",
    ...valueLines(content),
    "",
    "error",
    ...error.split("\n").map((line) => `  ${line}`),
  ].join("\n");
}

function valueLines(content: EventContent | undefined): string[] {
  const value = content?.value;
  if (value?.case === "message")
    return [
      "message",
      ...JSON.stringify(value.value, null, 2)
        .split("\n")
        .map((line) => `  ${line}`),
    ];
  if (value?.case === "payload")
    return [
      `payload, ${counted(value.value.byteLength, "byte")} that are no message of the topic, in base64`,
      `  ${Buffer.from(value.value).toString("base64")}`,
    ];
  return ["no value: a tombstone"];
}

async function replayDead({ targets, values, operands }: Call): Promise<Outcome> {
  const target = onlyTarget(targets);
  const dryRun = values["dry-run"] === true;
  const { eventCount } = await adminOf(target).replayDeadLetters({
    ...replayTarget(values, operands),
    reason: dryRun ? "" : required(values, "reason"),
    dryRun,
  });
  const events = counted(eventCount, "dead event");
  return {
    text: `${dryRun ? "Would be tried" : "Tried"} again: ${events}.`,
    json: { service: target.service, eventCount: String(eventCount), dryRun },
  };
}

function replayTarget(values: Values, operands: readonly string[]) {
  const [topic, key, deadSince] = [
    text(values, "topic"),
    text(values, "key"),
    moment(values, "since"),
  ];
  const byKey = topic !== undefined || key !== undefined;
  const ways = [operands.length > 0, byKey, deadSince !== undefined].filter(Boolean);
  if (ways.length !== 1)
    throw new UsageError(
      "say which: an EVENT_ID, or --topic and --key, or --since; one of the three",
    );
  if (deadSince !== undefined) return { deadSince };
  if (!byKey) return { eventId: onlyOperand(operands, "EVENT_ID") };
  return { eventKey: { topic: required(values, "topic"), key: required(values, "key") } };
}

async function skipDead({ targets, values, operands }: Call): Promise<Outcome> {
  const target = onlyTarget(targets);
  const eventId = onlyOperand(operands, "EVENT_ID");
  const skipped = await adminOf(target).skipDeadLetter({
    eventId,
    reason: required(values, "reason"),
  });
  const { heldKey } = skipped;
  return {
    text:
      heldKey === undefined
        ? "Skipped. Nothing of its key is held any more."
        : `Skipped. Next of its key is ${heldKey.headEventId} (${heldKey.headType}), with ` +
          `${counted(heldKey.laterEventCount, "event")} behind it.`,
    json: { ...named(target.service, SkipDeadLetterResponseSchema, skipped), eventId },
  };
}
