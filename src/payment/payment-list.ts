// Payments for operators: a page of those that the filters let through.
import { PaymentStatus } from "../../gen/waybill/payment/v1/payment_pb.js";
import type { ListPaymentsRequest } from "../../gen/waybill/payment/v1/payment_service_pb.js";
import type { Database } from "../platform/database/open.ts";
import { cutPage, ID_KEY, pageSizeOf, readPageToken } from "../platform/page.ts";
import { DISPUTED_STATES } from "./dispute.ts";
import { listPaymentRows, type PaymentFilter } from "./list-store.ts";
import type { PaymentRow } from "./store.ts";
import { dateOf } from "../platform/time.ts";

/** Contract's final statuses: a payment in one of them is not stuck. */
const ENDED = ["SUCCEEDED", "CANCELLED"];

/** The newest first. A page's token is good for the same filters only. */
export async function listPayments(
  db: Database,
  request: ListPaymentsRequest,
): Promise<{ readonly page: readonly PaymentRow[]; readonly nextPageToken: string }> {
  const filter = filterOf(request);
  const name = JSON.stringify(filter);
  const size = pageSizeOf(request.pageSize);
  const before = readPageToken(request.pageToken, name, ID_KEY);
  const rows = await listPaymentRows(db, filter, { before, limit: size + 1 });
  return cutPage(rows, size, ({ id }) => id, name);
}

function filterOf(request: ListPaymentsRequest): PaymentFilter {
  const { stuckForSeconds, customerId, createTimeFrom, createTimeBefore } = request;
  return {
    ...(request.statuses.length > 0 && {
      statuses: request.statuses.map((status) => PaymentStatus[status]).toSorted(),
    }),
    ...(stuckForSeconds > 0 && { stuckForSeconds, ended: ENDED }),
    ...(customerId !== "" && { customerId }),
    ...(createTimeFrom && { createTimeFrom: dateOf(createTimeFrom).toISOString() }),
    ...(createTimeBefore && { createTimeBefore: dateOf(createTimeBefore).toISOString() }),
    ...(request.disputed && { disputed: DISPUTED_STATES }),
  };
}
