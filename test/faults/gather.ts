// Gathers the facts for the oracle from the databases, the topics and the provider's ledger.
import { STORES } from "../../dev/backends/databases.ts";
import { inbox, stripePayments } from "../harness/sandbox.ts";
import type { AcceptedOrder, Facts } from "./facts.ts";
import { groupsOf } from "./groups.ts";
import type { Rig } from "./rig.ts";

/** The tables in which nothing may be left when all has come to rest. */
const WAITING_TABLES = ["outbox", "outbox_parked", "held_event"];

/** The facts of everything that ever happened on this rig. To be gathered when it is quiet. */
export async function gatherFacts(rig: Rig, accepted: readonly AcceptedOrder[]): Promise<Facts> {
  await rig.topics.catchUp();
  const [history, consumers, left, mails, payments] = await Promise.all([
    historyOf(rig),
    inboxesOf(rig),
    leftIn(rig),
    inbox(rig.place),
    stripePayments(rig.place),
  ]);
  return {
    history,
    consumers,
    left,
    accepted,
    records: rig.topics.topics.flatMap((topic) => rig.topics.records(topic)),
    mails: mails.emails,
    raced: rig.raced,
    intents: payments.map((payment) =>
      Object.assign({}, payment, { orderId: payment.metadata["order_id"] ?? "" }),
    ),
    ...(await rowsOf(rig)),
  };
}

/** Every order that is stored, as its customer knows it. */
export const storedOrders = ({ databases }: Rig): Promise<AcceptedOrder[]> =>
  databases.mustAsk<AcceptedOrder>(
    "order",
    `select id, number, total_minor_units::int as "minorUnits" from orders`,
  );

async function historyOf({ databases }: Rig): Promise<Facts["history"]> {
  const text = `select topic, key, last::int as last from event_sequence`;
  const rows = STORES.map((store) => databases.mustAsk<Facts["history"][number]>(store, text));
  return (await Promise.all(rows)).flat();
}

function inboxesOf({ databases, place }: Rig): Promise<Facts["consumers"]> {
  const text = `select event_id as id from inbox where consumer = $1`;
  const groups = groupsOf(place.namespace).map(async ({ consumer, topics }) => {
    const rows = await databases.mustAsk<{ id: string }>(consumer, text, [consumer]);
    return { consumer, topics, taken: rows.map(({ id }) => id) };
  });
  return Promise.all(groups);
}

async function leftIn({ databases }: Rig): Promise<Facts["left"]> {
  const counts = STORES.flatMap((store) =>
    WAITING_TABLES.map(async (table) => {
      const text = `select count(*)::int as rows from ${table}`;
      const [row] = await databases.mustAsk<{ rows: number }>(store, text);
      return [`${store}.${table}`, row?.rows ?? 0] as const;
    }),
  );
  return Object.fromEntries(await Promise.all(counts));
}

async function rowsOf({
  databases,
}: Rig): Promise<Pick<Facts, "orders" | "payments" | "notifications">> {
  const [orders, payments, notifications] = await Promise.all([
    databases.mustAsk<Facts["orders"][number]>(
      "order",
      `select id, number, status, total_minor_units::int as "minorUnits",
         (select coalesce(sum(minor_units), 0)::int from order_refunds
           where order_id = orders.id and status not in ('PENDING_INITIATION', 'FAILED', 'CANCELLED')) as refunded
         from orders`,
    ),
    databases.mustAsk<Facts["payments"][number]>(
      "payment",
      `select p.order_id as "orderId", p.status, count(r.id)::int as refunds,
         count(r.id) filter (where r.status in ('PENDING', 'SUCCEEDED'))::int as "goodRefunds",
         coalesce(sum(r.minor_units) filter (where r.status not in ('FAILED', 'CANCELLED')), 0)::int as refunded
       from payments p left join refunds r on r.payment_id = p.id group by p.id`,
    ),
    databases.mustAsk<Facts["notifications"][number]>(
      "notification",
      `select id, order_id as "orderId", template, subject, status from notifications`,
    ),
  ]);
  return { orders, payments, notifications };
}
