// Which events the Notification service tells the customer of, and how. The message is stored here and sent by the worker.
import {
  OrderEventSchema,
  type OrderCreated,
  type OrderEvent,
} from "../../gen/waybill/order/v1/order_event_pb.js";
import {
  PaymentStatusEventSchema,
  type PaymentRefunded,
  type PaymentStatusEvent,
} from "../../gen/waybill/payment/v1/payment_status_event_pb.js";
import { RefundReason, RefundStatus } from "../../gen/waybill/payment/v1/refund_pb.js";
import type { Transaction } from "../platform/database/open.ts";
import type { EventMeta, Outcome, Subscription } from "../platform/events/subscription.ts";
import { newId } from "../platform/id.ts";
import { recordTimeline } from "../platform/timeline/store.ts";
import { traceToStore } from "../platform/trace.ts";
import {
  findBySource,
  findOrderContact,
  saveNotifications,
  saveOrderContact,
  type NewNotification,
  type OrderContactRow,
} from "./store.ts";
import { notedLine } from "./story.ts";
import { localeOf, renderTemplate, TEMPLATE_VERSION, type TemplateName } from "./template.ts";
import { together } from "../platform/events/together.ts";

const ignored = (reason: string): Outcome => ({ outcome: "ignored", reason });
const NOT_YET: Outcome = {
  outcome: "not_yet",
  reason: "order.created, which says whom to tell, is not here yet",
};
const NOBODY_IS_TOLD = ignored("nobody is told of this event");

export const notificationSubscriptions: readonly Subscription[] = [
  {
    schema: OrderEventSchema,
    handle: async (tx, event: OrderEvent, meta) => {
      const { event: happened, orderId } = event;
      if (happened.case === "orderCreated")
        return await onOrderCreated(tx, event, happened.value, meta);
      const template = happened.case && TEMPLATES[happened.case];
      if (template === undefined) return NOBODY_IS_TOLD;
      const told = await tell(tx, orderId, { template, source: `event:${meta.eventId}` });
      // Events of one topic come in the order of their key: what is not here now will not come.
      return told ?? ignored("no order.created of this order was told");
    },
  },
  {
    schema: PaymentStatusEventSchema,
    handle: async (tx, { event, orderId }: PaymentStatusEvent) =>
      event.case === "paymentRefunded"
        ? await onPaymentRefunded(tx, orderId, event.value)
        : NOBODY_IS_TOLD,
  },
];

/**
 * Whether an order is paid, the order says, not its payment: money may come when it is closed, and then it is not "paid".
 */
const TEMPLATES: Partial<Record<string, TemplateName>> = {
  orderPaid: "payment-succeeded",
  orderFailed: "payment-failed",
  orderCancelled: "order-cancelled",
  orderExpired: "order-expired",
};

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
  const telling = { template: "order-created", source: `event:${meta.eventId}` } as const;
  const messages = messagesOf(contact, telling);
  await together([
    saveOrderContact(tx, contact),
    saveNotifications(tx, messages),
    noteMessages(tx, contact, messages),
  ]);
  return { outcome: "applied" };
}

const noteMessages = (
  tx: Transaction,
  { phoneNumber }: Pick<OrderContactRow, "phoneNumber">,
  messages: readonly NewNotification[],
): Promise<void> => recordTimeline(tx, ...notedLine(messages, { lacksPhone: phoneNumber === "" }));

/** Once for each refund, when it is on its way. */
async function onPaymentRefunded(
  tx: Transaction,
  orderId: string,
  { refund }: PaymentRefunded,
): Promise<Outcome> {
  const isUnderWay =
    refund?.status === RefundStatus.PENDING || refund?.status === RefundStatus.SUCCEEDED;
  if (refund === undefined || !isUnderWay)
    return ignored("the customer is not told of a refund in this status");
  const source = `refund:${refund.id}`;
  if ((await findBySource(tx, source)) !== undefined)
    return ignored("the customer was told of this refund already");
  const late = refund.reason === RefundReason.LATE_PAYMENT;
  const told = await tell(tx, orderId, {
    template: late ? "payment-returned" : "payment-refunded",
    source,
    refundMinorUnits: refund.amount?.minorUnits ?? 0n,
  });
  // It comes by another topic than the order, so it may be here first.
  return told ?? NOT_YET;
}

interface Telling {
  readonly template: TemplateName;
  /** What is told once: "event:<ID>", "refund:<ID>". */
  readonly source: string;
  readonly refundMinorUnits?: bigint;
}

/** Undefined: nobody knows yet whom to tell. */
async function tell(
  tx: Transaction,
  orderId: string,
  telling: Telling,
): Promise<Outcome | undefined> {
  const contact = await findOrderContact(tx, orderId);
  if (contact === undefined) return undefined;
  const messages = messagesOf(contact, telling);
  if (messages.length === 0) return ignored("there is no address to tell it to");
  await together([saveNotifications(tx, messages), noteMessages(tx, contact, messages)]);
  return { outcome: "applied" };
}

/** A mail, and an SMS where there is a phone number. */
function messagesOf(
  contact: Omit<OrderContactRow, "createTime">,
  { template, source, refundMinorUnits }: Telling,
): NewNotification[] {
  const locale = localeOf(contact.locale);
  const facts = refundMinorUnits === undefined ? contact : { ...contact, refundMinorUnits };
  const { subject, text, html, sms } = renderTemplate(template, locale, facts);
  const now = new Date();
  const message = {
    source,
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
