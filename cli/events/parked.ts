// events parked …: the events that the broker refused.
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { ParkedEventSchema } from "../../gen/waybill/event/v1/event_admin_pb.js";
import { counted, time } from "../table.ts";
import {
  adminOf,
  onlyOperand,
  onlyTarget,
  required,
  string,
  text,
  type Call,
  type Command,
  type Outcome,
} from "./command.ts";
import { LIST_OPTIONS, showList } from "./list.ts";

export const parkedCommands: readonly Command[] = [
  {
    name: "parked list",
    usage: "[--topic T] [--key K] [--limit N]",
    summary: "the events that the broker refused, and the later ones of their keys",
    options: { topic: string, key: string, ...LIST_OPTIONS },
    run: listParked,
  },
  {
    name: "parked release",
    usage: "--topic T --key K --reason R",
    summary: "send those of a key after all, in their order",
    options: { topic: string, key: string },
    changes: true,
    run: releaseParked,
  },
  {
    name: "parked skip",
    usage: "EVENT_ID --reason R",
    summary: "give one up: it is never sent, and its readers see a gap in ce_sequence",
    operand: "EVENT_ID",
    options: {},
    changes: true,
    run: skipParked,
  },
];

async function listParked(call: Call): Promise<Outcome> {
  const filter = { topic: text(call.values, "topic") ?? "", key: text(call.values, "key") ?? "" };
  return await showList(call, {
    schema: ParkedEventSchema,
    name: "parkedEvents",
    head: ["event", "type", "topic", "key", "seq", "bytes", "parked since", "reason"],
    empty: "No event is parked.",
    async page(admin, page) {
      const { parkedEvents, nextPageToken } = await admin.listParkedEvents({ ...filter, ...page });
      return { rows: parkedEvents, nextPageToken };
    },
    row: (parked) => [
      parked.eventId,
      parked.type,
      parked.topic,
      parked.key,
      String(parked.sequence),
      String(parked.payloadSizeBytes),
      time(parked.parkTime && timestampDate(parked.parkTime)),
      parked.reason,
    ],
  });
}

async function releaseParked({ targets, values }: Call): Promise<Outcome> {
  const target = onlyTarget(targets);
  const eventKey = { topic: required(values, "topic"), key: required(values, "key") };
  const reason = required(values, "reason");
  const { eventCount } = await adminOf(target).releaseParkedEvents({ eventKey, reason });
  return {
    text: `Released: ${counted(eventCount, "event")} of the key ${eventKey.key}.`,
    json: { service: target.service, eventCount: String(eventCount) },
  };
}

async function skipParked({ targets, values, operands }: Call): Promise<Outcome> {
  const target = onlyTarget(targets);
  const eventId = onlyOperand(operands, "EVENT_ID");
  const reason = required(values, "reason");
  const { parkedEventCount } = await adminOf(target).skipParkedEvent({ eventId, reason });
  const left = counted(parkedEventCount, "event");
  return {
    text:
      parkedEventCount === 0n
        ? "Skipped. Nothing of its key is parked any more."
        : `Skipped. Still parked: ${left} of its key. Send them with: events parked release`,
    json: { service: target.service, eventId, parkedEventCount: String(parkedEventCount) },
  };
}
