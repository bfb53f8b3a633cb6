// The sandbox's Stripe as a page: what a customer, a bank, Stripe's dashboard and a test may do, by pressing buttons.
import type { Fault } from "./faults.ts";
import { badSignatures, faultNames } from "./faults.ts";
import { button, escape, field, hidden, page, select } from "./page.ts";
import type { EventAccount, PaymentAccount } from "./stripe/account.ts";
import { disputeMoves } from "./stripe/dispute.ts";
import { refundMoves, refundStatuses } from "./stripe/refund.ts";
import { testMethodNames } from "./stripe/test-method.ts";

/** Where the page is, and where its buttons lead back to. */
export const STRIPE_PAGE = "/_/stripe";
/** The newest payments and events that the page shows. */
const SHOWN = 50;

export interface StripeView {
  /** The oldest first, as the events. */
  readonly payments: readonly PaymentAccount[];
  readonly events: readonly EventAccount[];
  readonly faults: readonly Fault[];
  /** The names of the operations that a fault may strike. */
  readonly operations: readonly string[];
}

export const stripePage = (view: StripeView): string =>
  page(
    "Sandbox: Stripe",
    `<p><a href="/">Inbox</a>, <a href="/_/payments">payments</a> and <a href="/_/webhooks">webhooks</a> as JSON.</p>
${faultsArticle(view)}
${webhooksArticle(view.events)}
${view.payments.slice(-SHOWN).toReversed().map(paymentArticle).join("\n") || "<p>No payment yet.</p>"}`,
  );

function faultsArticle({ faults, operations }: StripeView): string {
  const fields = [
    hidden("provider", "stripe"),
    select("fault", faultNames),
    select("operation", ["", ...operations]),
    ...["count", "nth", "latencyMs", "status", "event", "metadata[order_id]"].map(field),
    select("signature", ["", ...badSignatures]),
  ];
  const ordered = faults.map((fault) => `<li><code>${escape(JSON.stringify(fault))}</code></li>`);
  return `<article><h2>Faults to come</h2><ul>${ordered.join("")}</ul>
${button("/_/faults", "Order", fields.join(" "))} ${button("/_/faults/clear", "Forget all")}</article>`;
}

function webhooksArticle(events: readonly EventAccount[]): string {
  const rows = events
    .slice(-SHOWN)
    .toReversed()
    .map(
      ({ id, type, delivery, payment }) =>
        `<li><code>${escape(type)}</code> of ${escape(payment)}: ${delivery} ${button("/_/webhooks/send", "Send", hidden("events[0]", id))}</li>`,
    );
  return `<article><h2>Webhooks</h2>${button("/_/webhooks/release", "Release what is held")}
<details><summary>The last ${rows.length}</summary><ul>${rows.join("")}</ul></details></article>`;
}

function paymentArticle(payment: PaymentAccount): string {
  const { id, status, amount, currency, charged, refunded, withdrawn, net } = payment;
  return `<article><header>${escape(id)}, <code>${escape(JSON.stringify(payment.metadata))}</code></header>
<h2>${amount} ${escape(currency.toUpperCase())}: ${escape(status)}</h2>
<p>Charged ${charged}, refunded ${refunded}, withdrawn ${withdrawn}, left ${net}.</p>
${actionsOf(payment)}
<ul>${payment.refunds.map(refundItem).join("")}${payment.disputes.map(disputeItem).join("")}</ul></article>`;
}

function actionsOf({ id, status }: PaymentAccount): string {
  const decide = (yes: string, no: string) =>
    `${button(`/_/3ds/${id}/succeed`, yes)} ${button(`/_/3ds/${id}/fail`, no)}`;
  const pay = () =>
    button(
      `/_/pay/${id}`,
      "Pay",
      [select("payment_method", testMethodNames), field("amount")].join(" "),
    );
  switch (status) {
    case "requires_payment_method":
    case "requires_confirmation":
      return pay();
    case "requires_action":
      return decide("Approve 3-D Secure", "Refuse 3-D Secure") + pay();
    case "processing":
      return decide("The bank pays", "The bank refuses");
    case "succeeded":
      return refundForm(id) + disputeForm(id);
    default:
      return "";
  }
}

const refundForm = (id: string): string =>
  button(
    "/_/refunds",
    "Refund at the dashboard",
    [hidden("payment_intent", id), field("amount"), select("status", ["", ...refundStatuses])].join(
      " ",
    ),
  );

const disputeForm = (id: string): string =>
  button(
    "/_/disputes",
    "Dispute",
    [hidden("payment_intent", id), field("amount"), select("inquiry", ["", "true"])].join(" "),
  );

const refundItem = ({ id, status, amount }: PaymentAccount["refunds"][number]): string =>
  `<li>Refund ${escape(id)} of ${amount}: ${status} ${refundMoves.map((move) => button(`/_/refunds/${id}/${move}`, move)).join("")}</li>`;

const disputeItem = ({ id, status, amount, reason }: PaymentAccount["disputes"][number]): string =>
  `<li>Dispute ${escape(id)} of ${amount}, ${escape(reason)}: ${status} ${disputeMoves.map((move) => button(`/_/disputes/${id}/${move}`, move)).join("")}</li>`;
