// What the sandbox's Stripe does for requests about charges and events.
import type { Stripe } from "stripe";
import { jsonAnswer } from "../answer.ts";
import { matchesType } from "../faults.ts";
import { listOf, textOf } from "../form.ts";
import { pageOf, readListed } from "./list.ts";
import { type Books, known, listAnswer, type Operation } from "./operation.ts";
import { toCharge } from "./to-charge.ts";
import { toEvent } from "./to-event.ts";

export const retrieveCharge: Operation = (books, call) =>
  jsonAnswer(200, toCharge(known(books.ledger.charge(call.id), "charge", call.id)));

export const listCharges: Operation = (books, { parameters }) => {
  readListed(parameters, ["payment_intent"]);
  const paymentId = textOf(parameters, "payment_intent");
  const page = pageOf(
    books.ledger.charges(),
    parameters,
    (charge) => paymentId === undefined || charge.paymentId === paymentId,
  );
  return listAnswer<Stripe.Charge>("/v1/charges", page.data.map(toCharge), page.hasMore);
};

export const retrieveEvent: Operation = (books, call) => jsonAnswer(200, showEvent(books, call.id));

/** `delivery_success=false` finds what was not taken: not yet, or never sent. */
export const listEvents: Operation = (books, { parameters }) => {
  readListed(parameters, ["type", "types", "delivery_success"]);
  const types = listOf(parameters, "types") ?? listOf(parameters, "type");
  const success = textOf(parameters, "delivery_success");
  const page = pageOf(
    books.ledger.events(),
    parameters,
    ({ id, happening: { type } }) =>
      (types === undefined || types.some((pattern) => matchesType(pattern, type))) &&
      (success === undefined ||
        (books.ledger.delivery(id) === "delivered") === (success === "true")),
  );
  const data = page.data.map((event) => showEvent(books, event.id));
  return listAnswer<Stripe.Event>("/v1/events", data, page.hasMore);
};

/** The event as a webhook carries it and as the API shows it. */
export function showEvent(books: Books, eventId: string): Stripe.Event {
  const event = known(books.ledger.event(eventId), "event", eventId);
  const pendingWebhooks = books.ledger.delivery(eventId) === "delivered" ? 0 : 1;
  return toEvent(event, { origin: books.origin(), pendingWebhooks });
}
