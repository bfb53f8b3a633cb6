// events keys: the keys some of whose events are held.
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { HeldKeySchema, HeldState } from "../../gen/waybill/event/v1/event_admin_pb.js";
import { time } from "../table.ts";
import { UsageError } from "../usage.ts";
import { text, type Call, type Command, type Outcome } from "./command.ts";
import { LIST_OPTIONS, showList } from "./list.ts";

const STATES: Readonly<Record<string, HeldState>> = {
  dead: HeldState.DEAD,
  waiting: HeldState.WAITING,
};

export const keys: Command = {
  name: "keys",
  usage: "[--topic T] [--state dead|waiting] [--limit N]",
  summary:
    "the keys whose events are held: dead ones are quarantined, waiting ones go on by themselves",
  options: { topic: { type: "string" }, state: { type: "string" }, ...LIST_OPTIONS },
  run: listKeys,
};

async function listKeys(call: Call): Promise<Outcome> {
  const wanted = text(call.values, "state");
  const state = wanted === undefined ? HeldState.UNSPECIFIED : STATES[wanted];
  if (state === undefined) throw new UsageError(`--state ${wanted}: a state is dead or waiting`);
  const filter = { topic: text(call.values, "topic") ?? "", state };
  return await showList(call, {
    schema: HeldKeySchema,
    name: "heldKeys",
    head: ["key", "topic", "state", "first event", "type", "behind it", "held since", "reason"],
    empty: "No event is held.",
    async page(admin, page) {
      const { heldKeys, nextPageToken } = await admin.listHeldKeys({ ...filter, ...page });
      return { rows: heldKeys, nextPageToken };
    },
    row: (held) => [
      held.key,
      held.topic,
      HeldState[held.state].toLowerCase(),
      held.headEventId,
      held.headType,
      String(held.laterEventCount),
      time(held.createTime && timestampDate(held.createTime)),
      held.reason,
    ],
  });
}
