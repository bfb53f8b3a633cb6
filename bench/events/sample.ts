// The event that is published and read while the event layer is measured: order.created, as of a real order.
import { create, toBinary, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { OrderEventSchema } from "../../gen/waybill/order/v1/order_event_pb.js";

const eur = (minorUnits: bigint) => ({ currencyCode: "EUR", minorUnits });

/** About 300 bytes on the wire. */
export function orderCreated(orderId: string): MessageInitShape<typeof OrderEventSchema> {
  const line = (sku: string, name: string, quantity: number, unit: bigint) => ({
    sku,
    name,
    quantity,
    unitPrice: eur(unit),
    subtotal: eur(unit * BigInt(quantity)),
  });
  return {
    orderId,
    customerId: "bench-42",
    event: {
      case: "orderCreated",
      value: {
        number: "WB-7K3M-9QXT",
        items: [
          line("coffee-beans-1kg", "Coffee beans, 1 kg", 1, 1899n),
          line("espresso-cups", "Espresso cups, set of six", 2, 2450n),
        ],
        total: eur(6799n),
        contact: { email: "bench-42@example.com", phoneNumber: "", locale: "de-AT" },
        createTime: timestampFromDate(new Date()),
      },
    },
  };
}

export const samplePayload = (orderId: string): Uint8Array =>
  toBinary(OrderEventSchema, create(OrderEventSchema, orderCreated(orderId)));
