// Keeps, beside the services' tables, what these forget: every status that a row ever had, and every event that was published.
import postgres from "postgres";
import { fromBinary } from "@bufbuild/protobuf";
import { OrderEventSchema } from "../../gen/waybill/order/v1/order_event_pb.js";
import { PaymentStatus } from "../../gen/waybill/payment/v1/payment_pb.js";
import {
  PaymentStatusEventSchema,
  type PaymentStatusEvent,
} from "../../gen/waybill/payment/v1/payment_status_event_pb.js";

const WATCHED = {
  order: { table: "orders", key: "id" },
  payment: { table: "payments", key: "order_id" },
} as const;
export type Watched = keyof typeof WATCHED;

/** By triggers, so that no change escapes, whichever process makes it and however short it lasts. */
export const keepHistory = (of: Watched): string => `
  create table published as select * from outbox with no data;
  create function keep_published() returns trigger language plpgsql as
    $$ begin insert into published select new.*; return new; end $$;
  create trigger keep_published after insert on outbox
    for each row execute function keep_published();
  create table status_history (n bigserial primary key, order_id uuid not null, status text not null);
  create function keep_status() returns trigger language plpgsql as
    $$ begin
      if tg_op = 'INSERT' or new.status <> old.status then
        insert into status_history (order_id, status) values (new.${WATCHED[of].key}, new.status);
      end if;
      return new;
    end $$;
  create trigger keep_status after insert or update on ${WATCHED[of].table}
    for each row execute function keep_status()`;

const forgetHistory = (of: Watched): string => `
  drop trigger keep_published on outbox;
  drop trigger keep_status on ${WATCHED[of].table};
  drop function keep_published, keep_status;
  drop table published, status_history`;

/** Whoever can ask the database. */
type Query = <Row extends object>(text: string, values: readonly string[]) => Promise<Row[]>;

/** Every status of the order's row, or of its payment's, in their order. */
export async function statusesOf(query: Query, orderId: string): Promise<readonly string[]> {
  const text = "select status from status_history where order_id = $1 order by n";
  return (await query<{ status: string }>(text, [orderId])).map(({ status }) => status);
}

async function payloadsOf(query: Query, orderId: string, topic: string): Promise<Uint8Array[]> {
  const text = `select payload from published where aggregate_id = $1 and topic like $2 order by seq`;
  return (await query<{ payload: Uint8Array }>(text, [orderId, `%${topic}`])).map(
    ({ payload }) => payload,
  );
}

/** What Payment published of the order's payment on payment-status-updates. */
export const toldByPayment = async (
  query: Query,
  orderId: string,
): Promise<readonly PaymentStatusEvent["event"][]> =>
  (await payloadsOf(query, orderId, "payment-status-updates")).map(
    (payload) => fromBinary(PaymentStatusEventSchema, payload).event,
  );

/** The statuses that Order published: of order.created nothing, of order.paid PAID. */
export const toldByOrder = async (query: Query, orderId: string): Promise<readonly string[]> =>
  (await payloadsOf(query, orderId, "order-events")).flatMap((payload) => {
    const told = fromBinary(OrderEventSchema, payload).event.case ?? "unknown";
    return told === "orderCreated" ? [] : [told.replace("order", "").toUpperCase()];
  });

/** One event for each real change: of the status as the row had them, and of each refund and dispute. The sentences of what is not so. */
export function notToldOnce(
  rows: readonly string[],
  told: readonly PaymentStatusEvent["event"][],
): string[] {
  const changes = told.map((event) => {
    switch (event.case) {
      case "paymentStatusUpdated":
        return { of: "status", is: PaymentStatus[event.value.status] };
      case "paymentRefunded":
        return {
          of: `refund ${event.value.refund?.id ?? ""}`,
          is: `${event.value.refund?.status ?? ""}`,
        };
      case "paymentDisputed":
        return {
          of: `dispute ${event.value.dispute?.id ?? ""}`,
          is: `${event.value.dispute?.status ?? ""}`,
        };
      default:
        return { of: "an unknown event", is: "" };
    }
  });
  const [, ...real] = rows;
  const statuses = changes.flatMap(({ of, is }) => (of === "status" ? [is] : []));
  const wrong =
    statuses.join() === real.join() ? [] : [`was ${rows.join()}, and told ${statuses.join()}`];
  for (const [of, states] of Map.groupBy(changes, (change) => change.of)) {
    const again = states.find(({ is }, at) => at > 0 && is === states[at - 1]?.is);
    if (again !== undefined) wrong.push(`${of} was told to be ${again.is} twice`);
  }
  return wrong;
}

export interface History extends AsyncDisposable {
  readonly of: Readonly<Record<Watched, Query>>;
}

/** Keeps the history of a stack until it is disposed. `urls`: of the services' databases. */
export async function openHistory(urls: Readonly<Record<Watched, string>>): Promise<History> {
  const sqls = {
    order: postgres(urls.order, { max: 4, onnotice: () => undefined }),
    payment: postgres(urls.payment, { max: 4, onnotice: () => undefined }),
  };
  const stores: readonly Watched[] = ["order", "payment"];
  await Promise.all(stores.map((store) => sqls[store].unsafe(keepHistory(store))));
  const asking =
    (store: Watched): Query =>
    async <Row extends object>(text: string, values: readonly string[]) => [
      ...(await sqls[store].unsafe<Row[]>(text, [...values])),
    ];
  return {
    of: { order: asking("order"), payment: asking("payment") },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(stores.map((store) => sqls[store].unsafe(forgetHistory(store))));
      await Promise.all(stores.map((store) => sqls[store].end()));
    },
  };
}
