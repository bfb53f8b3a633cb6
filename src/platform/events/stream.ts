// A topic as the contract declares it: read from the options of its event message.
import {
  getOption,
  hasOption,
  type DescField,
  type DescMessage,
  type Message,
} from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import {
  name as eventName,
  stream as streamOption,
} from "../../../gen/waybill/event/v1/options_pb.js";

export interface StreamTopic {
  /** With the namespace before it: "blue.order-events". */
  readonly topic: string;
  readonly schema: DescMessage;
  readonly partitions: number;
  readonly retentionHours: number;
  /** The key of a message: what keeps its order. Throws a ContractError when the message has none. */
  keyOf(message: Message): string;
  /** The event's name, "order.created"; undefined when the message holds no case that this contract knows. */
  typeOf(message: Message): string | undefined;
}

/** The contract does not say what the event layer has to know. */
export class ContractError extends Error {
  override readonly name = "ContractError";
}

/** Reads the (waybill.event.v1.stream) option. Throws a ContractError for a message without a usable one. */
export function streamOf(schema: DescMessage, namespace: string): StreamTopic {
  if (!hasOption(schema, streamOption)) {
    throw new ContractError(
      `${schema.typeName} declares no topic: it has no (waybill.event.v1.stream) option.`,
    );
  }
  const declared = getOption(schema, streamOption);
  if (declared.topic === "" || declared.partitions < 1 || declared.retentionHours < 1) {
    throw new ContractError(
      `The stream option of ${schema.typeName} needs topic, partitions and retention_hours.`,
    );
  }
  const keys = [declared.key, declared.fallbackKey]
    .filter((field) => field !== "")
    .map((field) => keyField(schema, field));
  if (keys.length === 0)
    throw new ContractError(`The stream option of ${schema.typeName} names no key.`);
  return {
    topic: namespaced(namespace, declared.topic),
    schema,
    partitions: declared.partitions,
    retentionHours: declared.retentionHours,
    keyOf: (message) => keyOf(schema, keys, message),
    typeOf: (message) => typeOf(schema, message),
  };
}

/** Topics and groups of one installation, kept apart from those of others on the same broker. */
export const namespaced = (namespace: string, name: string): string =>
  namespace === "" ? name : `${namespace}.${name}`;

function keyField(schema: DescMessage, name: string): DescField {
  const field = schema.fields.find((candidate) => candidate.name === name);
  if (field === undefined || field.fieldKind !== "scalar") {
    throw new ContractError(`The key "${name}" of ${schema.typeName} is not a scalar field of it.`);
  }
  return field;
}

function keyOf(schema: DescMessage, keys: readonly DescField[], message: Message): string {
  const fields = reflect(schema, message);
  for (const field of keys) {
    const value = fields.get(field);
    if (typeof value === "string" && value !== "") return value;
  }
  throw new ContractError(
    `A ${schema.typeName} without ${keys.map((field) => field.name).join(" and ")} has no key.`,
  );
}

function typeOf(schema: DescMessage, message: Message): string | undefined {
  const fields = reflect(schema, message);
  for (const oneof of schema.oneofs) {
    const chosen = fields.oneofCase(oneof);
    if (chosen !== undefined && hasOption(chosen, eventName)) return getOption(chosen, eventName);
  }
  return undefined;
}
