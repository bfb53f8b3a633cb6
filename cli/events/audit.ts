// events audit: what operators did.
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { AuditEntrySchema } from "../../gen/waybill/event/v1/event_admin_pb.js";
import { time } from "../table.ts";
import { text, type Call, type Command, type Outcome } from "./command.ts";
import { LIST_OPTIONS, showList } from "./list.ts";

export const audit: Command = {
  name: "audit",
  usage: "[--actor A] [--action RPC] [--limit N]",
  summary: "who changed what, when and why; the newest first",
  options: { actor: { type: "string" }, action: { type: "string" }, ...LIST_OPTIONS },
  run: listAudit,
};

async function listAudit(call: Call): Promise<Outcome> {
  const { values } = call;
  const filter = { actor: text(values, "actor") ?? "", action: text(values, "action") ?? "" };
  return await showList(call, {
    schema: AuditEntrySchema,
    name: "auditEntries",
    head: ["time", "who", "what", "events", "to what", "why"],
    empty: "No operator changed anything.",
    async page(admin, page) {
      const { auditEntries, nextPageToken } = await admin.listAuditEntries({ ...filter, ...page });
      return { rows: auditEntries, nextPageToken };
    },
    row: (entry) => [
      time(entry.createTime && timestampDate(entry.createTime)),
      entry.actor,
      entry.action,
      String(entry.eventCount),
      JSON.stringify(entry.subject ?? {}),
      entry.reason,
    ],
  });
}
