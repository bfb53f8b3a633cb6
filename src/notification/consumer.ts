// Which events the Notification service tells the customer of, and how. The message is stored here and sent by the worker.
import {
  OrderEventSchema,
  type OrderCreated,
  type OrderEvent,
} from "../../gen/waybill/order/v1/order_event_pb.js";
import { PaymentStatus } from "../../gen/waybill/payment/v1/payment_pb.js";
import {
  PaymentStatusEventSchema,
  type PaymentStatusEvent,
  type PaymentStatusUpdated,
} from "../../gen/waybill/payment/v1/payment_status_event_pb.js";
import type { Transaction } from "../platform/database/open.ts";
import type { EventMeta, Outcome, Subscription } from "../platform/events/subscription.ts";
import { newId } from "../platform/id.ts";
import { traceToStore } from "../platform/trace.ts";
import {
  findOrderContact,
  saveNotifications,
  saveOrderContact,
  type NewNotification,
  type OrderContactRow,
} from "./store.ts";
import { localeOf, renderTemplate, TEMPLATE_VERSION, type TemplateName } from "./template.ts";
import { together } from "../platform/events/together.ts";

const UNKNOWN_EVENT: Outcome = { outcome: "ignored", reason: "nobody is told of this event" };

export const notificationSubscriptions: readonly Subscription[] = [
  {
    schema: OrderEventSchema,
    handle: (tx, event: OrderEvent, meta) =>
      event.event.case === "orderCreated"
        ? onOrderCreated(tx, event, event.event.value, meta)
        : Promise.resolve(UNKNOWN_EVENT),
  },
  {
    schema: PaymentStatusEventSchema,
    handle: (tx, event: PaymentStatusEvent, meta) =>
      event.event.case === "paymentStatusUpdated"
        ? onPaymentStatusUpdated(tx, event, event.event.value, meta)
        : Promise.resolve(UNKNOWN_EVENT),
  },
];

async function onOrderCreated(
  tx: Transaction,
  event: OrderEvent,
  created: OrderCreated,
  meta: EventMeta,
): Promise<Outcome> {
  const contact = {
    orderId: event.orderId,
    customerId: event.customerId,
    number: created.number,
    currencyCode: created.total?.currencyCode ?? "",
    totalMinorUnits: created.total?.minorUnits ?? 0n,
    email: created.contact?.email ?? "",
    phoneNumber: created.contact?.phoneNumber ?? "",
    locale: created.contact?.locale ?? "",
  };
  await together([
    saveOrderContact(tx, contact),
    saveNotifications(tx, messagesOf("order-created", contact, meta)),
  ]);
  return { outcome: "applied" };
}

async function onPaymentStatusUpdated(
  tx: Transaction,
  event: PaymentStatusEvent,
  news: PaymentStatusUpdated,
  meta: EventMeta,
): Promise<Outcome> {
  const template = templateOf(news.status);
  if (template === undefined)
    return { outcome: "ignored", reason: "the customer is not told of this status" };
  const contact = await findOrderContact(tx, event.orderId);
  // It came by another topic, so it may be here before the order is.
  if (contact === undefined)
    return {
      outcome: "not_yet",
      reason: "order.created, which says whom to tell, is not here yet",
    };
  await saveNotifications(tx, messagesOf(template, contact, meta));
  return { outcome: "applied" };
}

function templateOf(status: PaymentStatus): TemplateName | undefined {
  if (status === PaymentStatus.SUCCEEDED) return "payment-succeeded";
  return status === PaymentStatus.FAILED ? "payment-failed" : undefined;
}

/** A mail, and an SMS where there is a phone number. */
function messagesOf(
  template: TemplateName,
  contact: Omit<OrderContactRow, "createTime">,
  meta: EventMeta,
): NewNotification[] {
  const locale = localeOf(contact.locale);
  const { subject, text, html, sms } = renderTemplate(template, locale, contact);
  const now = new Date();
  const message = {
    source: `event:${meta.eventId}`,
    orderId: contact.orderId,
    customerId: contact.customerId,
    status: "QUEUED",
    template,
    templateVersion: TEMPLATE_VERSION,
    locale,
    traceparent: traceToStore(),
    dueTime: now,
    createTime: now,
    updateTime: now,
  };
  const messages: NewNotification[] = [];
  if (contact.email !== "") {
    messages.push({
      ...message,
      id: newId(),
      channel: "EMAIL",
      recipient: contact.email,
      subject,
      text,
      html,
    });
  }
  if (contact.phoneNumber !== "") {
    messages.push({
      ...message,
      id: newId(),
      channel: "SMS",
      recipient: contact.phoneNumber,
      subject: "",
      text: sms,
      html: "",
    });
  }
  return messages;
}
