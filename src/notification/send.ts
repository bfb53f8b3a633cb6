// Sends what is due: SENDING is committed, then the provider is asked, then its answer is committed with the event.
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { NotificationEventSchema } from "../../gen/waybill/notification/v1/notification_event_pb.js";
import { NotificationChannel } from "../../gen/waybill/notification/v1/notification_pb.js";
import type { Backbone } from "../platform/backbone.ts";
import type { Transaction } from "../platform/database/open.ts";
import type { Outbox } from "../platform/events/outbox.ts";
import type { Log } from "../platform/log.ts";
import { recordTimeline } from "../platform/timeline/store.ts";
import { continueTrace } from "../platform/trace.ts";
import { afterSending, type Channel, type NextStep, type SendResult } from "./delivery.ts";
import type { SendMail } from "./resend.ts";
import {
  claimDueNotifications,
  saveProgress,
  type NotificationProgress,
  type NotificationRow,
} from "./store.ts";
import { ambiguousLine, sentLine } from "./story.ts";
import type { SendSms } from "./twilio.ts";
import { together } from "../platform/events/together.ts";

/** After this time a message that is SENDING was left by a process that died. Longer than a provider is waited for. */
const SEND_LEASE_MS = 10_000;
/** How many messages are sent at once. */
const WORKER_BATCH = 32;

export interface SendParts extends Pick<Backbone, "db" | "outbox" | "inTransaction"> {
  readonly sendMail: SendMail;
  readonly sendSms: SendSms;
  readonly log: Log;
}

/** Sends the messages that are due. The number of them. */
export async function sendDueNotifications(parts: SendParts): Promise<number> {
  const claimed = await claimDueNotifications(parts.db, {
    limit: WORKER_BATCH,
    leaseMs: SEND_LEASE_MS,
  });
  const sending = claimed.filter((message) => message.status === "SENDING");
  const lost = claimed.filter((message) => message.status === "AMBIGUOUS");
  for (const message of lost) inTraceOf(message, () => tellAmbiguous(parts.log, message));
  await recordTimeline(parts.db, ...lost.flatMap(ambiguousLine));
  // Mails are settled together, one transaction for all. An SMS by itself, at once: what is not settled when we die is lost for it.
  const mails = sending.filter((message) => message.channel === "EMAIL");
  const texts = sending.filter((message) => message.channel === "SMS");
  await Promise.all([send(parts, mails), ...texts.map((message) => send(parts, [message]))]);
  return claimed.length;
}

/** Messages are taken and settled together, but each goes on with the trace of what asked for it. */
const inTraceOf = <T>({ traceparent }: NotificationRow, work: () => T): T =>
  continueTrace(traceparent, work);

interface Sent {
  readonly message: NotificationRow;
  readonly step: NextStep;
}

async function send(parts: SendParts, messages: readonly NotificationRow[]): Promise<void> {
  if (messages.length === 0) return;
  const sent = await Promise.all(
    messages.map((message) => inTraceOf(message, () => sendOne(parts, message))),
  );
  try {
    await settle(parts, sent);
  } catch (error) {
    if (sent.length === 1) throw error;
    parts.log.warn({ messages: sent.length, error }, "messages are settled one by one");
    for (const one of sent) await settle(parts, [one]);
  }
}

async function sendOne(parts: SendParts, message: NotificationRow): Promise<Sent> {
  const result = await ask(parts, message);
  const step = afterSending(
    {
      channel: message.channel as Channel,
      attemptCount: message.attemptCount,
      ageMs: Date.now() - message.createTime.getTime(),
    },
    result,
  );
  if (step.status !== "SENT") {
    parts.log.warn(
      { notificationId: message.id, status: step.status, reason: step.reason },
      "a message was not sent",
    );
  }
  return { message, step };
}

/** Commits what became of the messages, with their events. */
const settle = (parts: SendParts, sent: readonly Sent[]): Promise<void> =>
  parts.inTransaction(async (tx) => {
    const saved = await together(
      sent.map(({ message, step }) => saveProgress(tx, message, progressOf(step))),
    );
    const lines = saved.flatMap((row, place) => {
      const step = sent[place]?.step;
      return row === undefined || step === undefined ? [] : sentLine(row, step);
    });
    // In the order of their keys, so that two senders never wait for each other.
    const accepted = saved
      .flatMap((row) => (row?.status === "SENT" ? [row] : []))
      .toSorted((a, b) => (a.orderId ?? a.id).localeCompare(b.orderId ?? b.id));
    await together([
      ...accepted.map((row) => inTraceOf(row, () => publishSent(tx, parts.outbox, row))),
      recordTimeline(tx, ...lines),
    ]);
  });

const ask = (parts: SendParts, message: NotificationRow): Promise<SendResult> =>
  message.channel === "SMS"
    ? parts.sendSms({ to: message.recipient, text: message.text })
    : parts.sendMail({
        to: message.recipient,
        subject: message.subject,
        text: message.text,
        html: message.html,
        idempotencyKey: message.id,
      });

function progressOf(step: NextStep): NotificationProgress {
  switch (step.status) {
    case "SENT":
      return {
        status: "SENT",
        providerMessageId: step.providerMessageId,
        dueInMs: null,
        sendTime: new Date(),
      };
    case "QUEUED":
      return { status: "QUEUED", failureReason: step.reason, dueInMs: step.dueInMs };
    case "FAILED":
    case "AMBIGUOUS":
      return { status: step.status, failureReason: step.reason, dueInMs: null };
    default:
      return step satisfies never;
  }
}

async function publishSent(
  tx: Transaction,
  outbox: Outbox,
  message: NotificationRow,
): Promise<void> {
  await outbox.publish(tx, NotificationEventSchema, {
    orderId: message.orderId ?? "",
    customerId: message.customerId,
    notificationId: message.id,
    event: {
      case: "notificationSent",
      value: {
        channel: NotificationChannel[message.channel as Channel],
        template: message.template,
        providerMessageId: message.providerMessageId,
        ...(message.sendTime && { sendTime: timestampFromDate(message.sendTime) }),
      },
    },
  });
}

const tellAmbiguous = (log: Log, { id }: NotificationRow): void =>
  log.error(
    { notificationId: id },
    "a message may or may not have been sent: it is not sent again, an operator must look",
  );
