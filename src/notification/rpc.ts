// The RPCs of the Notification service.
import type { ConnectRouter, HandlerContext } from "@connectrpc/connect";
import {
  NotificationService,
  type GetNotificationRequest,
  type ListNotificationsRequest,
  type SendEmailRequest,
  type SendSMSRequest,
} from "../../gen/waybill/notification/v1/notification_service_pb.js";
import { customerScope, type Principal } from "../platform/access/principal.ts";
import type { Backbone } from "../platform/backbone.ts";
import { newId } from "../platform/id.ts";
import { cutPage, ID_KEY, pageSizeOf, readPageToken } from "../platform/page.ts";
import { Refusal } from "../platform/refusal.ts";
import { principalOf } from "../platform/rpc/principal.ts";
import { together } from "../platform/events/together.ts";
import { recordTimeline } from "../platform/timeline/store.ts";
import { traceToStore } from "../platform/trace.ts";
import type { Channel } from "./delivery.ts";
import {
  findBySource,
  findNotification,
  listNotifications,
  lockSource,
  saveNotifications,
  type NewNotification,
  type NotificationRow,
} from "./store.ts";
import { notedLine } from "./story.ts";
import { toNotification } from "./wire.ts";

export interface NotificationParts extends Pick<Backbone, "db" | "inTransaction"> {
  /** There is a message to send. */
  readonly wakeSender: () => void;
}

export const notificationRoutes = (parts: NotificationParts) => (router: ConnectRouter) => {
  router.service(NotificationService, {
    sendEmail: (request, context) => sendEmail(parts, request, context),
    sendSMS: (request, context) => sendSms(parts, request, context),
    getNotification: (request, context) => getNotification(parts, request, context),
    listNotifications: (request, context) => listNotificationsPage(parts, request, context),
  });
};

async function sendEmail(
  parts: NotificationParts,
  request: SendEmailRequest,
  context: HandlerContext,
) {
  const { to, subject, text, html } = request;
  const row = await queue(
    parts,
    newRow("EMAIL", request, principalOf(context), { recipient: to, subject, text, html }),
  );
  return { notification: toNotification(row) };
}

async function sendSms(parts: NotificationParts, request: SendSMSRequest, context: HandlerContext) {
  const { to, text } = request;
  const row = await queue(
    parts,
    newRow("SMS", request, principalOf(context), { recipient: to, subject: "", text, html: "" }),
  );
  return { notification: toNotification(row) };
}

/** Stores the message, or finds what the same request stored before (AIP-155). Refuses the ID for another request. */
async function queue(parts: NotificationParts, row: NewNotification): Promise<NotificationRow> {
  const known = await findBySource(parts.db, row.source);
  if (known === undefined) {
    await parts.inTransaction(async (tx) => {
      await lockSource(tx, row.source);
      if ((await findBySource(tx, row.source)) !== undefined) return;
      await together([saveNotifications(tx, [row]), recordTimeline(tx, ...notedLine([row]))]);
    });
    parts.wakeSender();
  }
  const stored = known ?? (await findBySource(parts.db, row.source));
  if (stored === undefined) throw new Error(`notification ${row.id} was stored and is gone`);
  const isSame = compared.every((field) => stored[field] === row[field]);
  if (!isSame) {
    throw new Refusal(
      "invalid_argument",
      "this request_id was used for another request; choose a new one for each message",
      {
        field: "request_id",
        reason: "IDEMPOTENCY_KEY_REUSED",
      },
    );
  }
  return stored;
}

const compared = [
  "channel",
  "recipient",
  "subject",
  "text",
  "html",
  "orderId",
  "customerId",
] as const;

function newRow(
  channel: Channel,
  request: SendEmailRequest | SendSMSRequest,
  caller: Principal,
  content: Pick<NewNotification, "recipient" | "subject" | "text" | "html">,
): NewNotification {
  const now = new Date();
  const who = caller.kind === "anonymous" ? caller.kind : `${caller.kind}:${caller.id}`;
  return {
    id: newId(),
    source: `request:${who}:${request.requestId}`,
    orderId: request.orderId === "" ? null : request.orderId,
    customerId: request.customerId,
    channel,
    status: "QUEUED",
    template: "",
    templateVersion: 0,
    locale: "",
    ...content,
    traceparent: traceToStore(),
    dueTime: now,
    createTime: now,
    updateTime: now,
  };
}

async function getNotification(
  parts: NotificationParts,
  request: GetNotificationRequest,
  context: HandlerContext,
) {
  const row = await findNotification(
    parts.db,
    request.notificationId,
    customerScope(principalOf(context)),
  );
  if (row === undefined) {
    throw new Refusal("not_found", `there is no notification ${request.notificationId}`, {
      field: "notification_id",
    });
  }
  return { notification: toNotification(row) };
}

async function listNotificationsPage(
  parts: NotificationParts,
  request: ListNotificationsRequest,
  context: HandlerContext,
) {
  const scope = customerScope(principalOf(context));
  const filter = `notifications:${scope ?? ""}:${request.orderId}`;
  const size = pageSizeOf(request.pageSize);
  const before = readPageToken(request.pageToken, filter, ID_KEY);
  const rows = await listNotifications(parts.db, scope, {
    orderId: request.orderId,
    before,
    limit: size + 1,
  });
  const { page, nextPageToken } = cutPage(rows, size, (row) => row.id, filter);
  return { notifications: page.map(toNotification), nextPageToken };
}
