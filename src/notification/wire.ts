// Rows of the Notification service to messages of the contract.
import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import {
  NotificationChannel,
  NotificationSchema,
  NotificationStatus,
  type Notification,
} from "../../gen/waybill/notification/v1/notification_pb.js";
import type { Channel, DeliveryState } from "./delivery.ts";
import type { NotificationRow } from "./store.ts";

export const toNotification = (row: NotificationRow): Notification =>
  create(NotificationSchema, {
    id: row.id,
    orderId: row.orderId ?? "",
    customerId: row.customerId,
    channel: NotificationChannel[row.channel as Channel],
    recipient: row.recipient,
    status: NotificationStatus[row.status as DeliveryState],
    template: row.template,
    templateVersion: row.templateVersion,
    locale: row.locale,
    subject: row.subject,
    text: row.text,
    providerMessageId: row.providerMessageId,
    failureReason: row.failureReason,
    attemptCount: row.attemptCount,
    createTime: timestampFromDate(row.createTime),
    updateTime: timestampFromDate(row.updateTime),
    ...(row.sendTime && { sendTime: timestampFromDate(row.sendTime) }),
  });
