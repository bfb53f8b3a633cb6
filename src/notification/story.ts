// What the timeline says of messages: that one is meant, why one is not, and what became of it. No address is ever in it.
import type { Happened } from "../platform/timeline/store.ts";
import type { Channel, NextStep } from "./delivery.ts";
import type { NewNotification, NotificationRow } from "./store.ts";

const NAMES: Readonly<Record<Channel, string>> = { EMAIL: "mail", SMS: "SMS" };
const nameOf = ({ channel, template }: Pick<NotificationRow, "channel" | "template">): string =>
  `${NAMES[channel as Channel]}${template === "" ? "" : ` "${template}"`}`;

/** Messages that belong together, and are stored to be sent. */
export function notedLine(
  messages: readonly NewNotification[],
  { lacksPhone = false }: { readonly lacksPhone?: boolean } = {},
): Happened[] {
  const [first] = messages;
  if (first === undefined) return [];
  const names = messages.map((message) => `a ${nameOf(message)}`).join(" and ");
  const without = lacksPhone ? "; no SMS, for the order has no phone number" : "";
  return lineOf(first, {
    type: "notification.noted",
    text: `To be sent: ${names}${without}.`,
    references: Object.fromEntries(
      messages.map(({ channel, id }) => [`${channel.toLowerCase()}_notification_id`, id]),
    ),
  });
}

/** What became of a message when it was sent; a later try of one that waits is not told again. */
export function sentLine(message: NotificationRow, step: NextStep): Happened[] {
  const name = nameOf(message);
  switch (step.status) {
    case "SENT":
      return lineOf(message, {
        type: "notification.sent",
        text: `A ${name} was sent.`,
        visibility: "PUBLIC",
      });
    case "QUEUED":
      if (message.attemptCount > 1) return [];
      return lineOf(message, {
        type: "notification.waits",
        text: `The ${name} was not sent (${step.reason}); it is tried again in ${step.dueInMs / 1000} s, and so on.`,
      });
    case "FAILED":
      return lineOf(message, {
        type: "notification.failed",
        text: `The ${name} was not sent, and will not be: ${step.reason}.`,
      });
    case "AMBIGUOUS":
      return ambiguousLine({ ...message, failureReason: step.reason });
    default:
      return step satisfies never;
  }
}

/** Nobody knows whether it was sent. */
export const ambiguousLine = (message: NotificationRow): Happened[] =>
  lineOf(message, {
    type: "notification.ambiguous",
    text: `It is not known whether the ${nameOf(message)} was sent (${message.failureReason}): it is not sent again.`,
  });

type Line = Pick<Happened, "type" | "text"> & Partial<Pick<Happened, "visibility" | "references">>;

/** None for a message that belongs to no order. */
function lineOf(message: NewNotification, { visibility = "OPERATOR", ...line }: Line): Happened[] {
  const { id, orderId, customerId, traceparent } = message;
  if (orderId === null || orderId === undefined) return [];
  return [
    {
      references: { notification_id: id },
      ...line,
      orderId,
      customerId,
      visibility,
      traceparent: traceparent ?? undefined,
    },
  ];
}
