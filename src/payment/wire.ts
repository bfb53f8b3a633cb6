// Rows of the Payment service to messages of the contract.
import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import {
  PaymentSchema,
  PaymentStatus,
  type Payment,
} from "../../gen/waybill/payment/v1/payment_pb.js";
import type { PaymentState } from "./payment.ts";
import type { PaymentRow } from "./store.ts";

export const toPayment = (row: PaymentRow): Payment =>
  create(PaymentSchema, {
    id: row.id,
    orderId: row.orderId,
    customerId: row.customerId,
    status: PaymentStatus[row.status as PaymentState],
    amount: { currencyCode: row.currencyCode, minorUnits: row.minorUnits },
    attemptNumber: row.attemptNumber,
    declineCode: row.declineCode,
    paymentIntentId: row.paymentIntentId ?? "",
    createTime: timestampFromDate(row.createTime),
    updateTime: timestampFromDate(row.updateTime),
  });
