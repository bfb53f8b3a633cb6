// The contract of a version that is still to come, with all that it may add without asking its readers: for tests of readers.
import { create, setExtension, type DescMessage } from "@bufbuild/protobuf";
import {
  DescriptorProtoSchema,
  EnumValueDescriptorProtoSchema,
  FieldDescriptorProto_Type,
  FieldOptionsSchema,
  type DescriptorProto,
} from "@bufbuild/protobuf/wkt";
import { name as eventName } from "../../gen/waybill/event/v1/options_pb.js";
import { OrderEventSchema } from "../../gen/waybill/order/v1/order_event_pb.js";
import { PaymentStatusEventSchema } from "../../gen/waybill/payment/v1/payment_status_event_pb.js";
import { addField, editedContract, messageIn, type Draft } from "./edited.ts";

const { MESSAGE, STRING } = FieldDescriptorProto_Type;
const ADDED = 90;

export interface NewerContract {
  /** With a `region` beside its case, and a case `order_shipped`. */
  readonly orderEvent: DescMessage;
  /** With a `region` beside its case, and a status 11. */
  readonly paymentStatusEvent: DescMessage;
}

/** PAYMENT_STATUS_DISPUTED of the newer contract. */
export const STATUS_OF_THE_FUTURE = 11;

/** Each message of the events, the deepest too, has a new text field. */
export function newerContract(): NewerContract {
  const contract = editedContract([OrderEventSchema, PaymentStatusEventSchema], edit);
  return {
    orderEvent: messageIn(contract, OrderEventSchema.typeName),
    paymentStatusEvent: messageIn(contract, PaymentStatusEventSchema.typeName),
  };
}

function edit(draft: Draft): void {
  const orderEvent = draft.message(OrderEventSchema.typeName);
  addCase(draft, orderEvent);
  for (const message of [
    orderEvent,
    draft.message(PaymentStatusEventSchema.typeName),
    draft.message("waybill.order.v1.OrderCreated"),
    draft.message("waybill.order.v1.OrderItem"),
    draft.message("waybill.payment.v1.PaymentStatusUpdated"),
    draft.message("waybill.money.v1.Money"),
  ]) {
    addField(message, { name: "region", number: ADDED, type: STRING });
  }
  const value = { name: "PAYMENT_STATUS_DISPUTED", number: STATUS_OF_THE_FUTURE };
  const status = draft.enumeration("waybill.payment.v1.PaymentStatus");
  status.value.push(create(EnumValueDescriptorProtoSchema, value));
}

function addCase(draft: Draft, orderEvent: DescriptorProto): void {
  const shipped = create(DescriptorProtoSchema, { name: "OrderShipped" });
  addField(shipped, { name: "carrier", number: 1, type: STRING });
  draft.addMessage(OrderEventSchema.typeName, shipped);
  const options = create(FieldOptionsSchema);
  setExtension(options, eventName, "order.shipped");
  addField(orderEvent, {
    name: "order_shipped",
    number: 20,
    type: MESSAGE,
    typeName: ".waybill.order.v1.OrderShipped",
    oneofIndex: 0,
    options,
  });
}
