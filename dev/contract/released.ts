// The contract as it was last released: read from its image, which knows nothing of the code of today.
import { readFileSync } from "node:fs";
import {
  createFileRegistry,
  fromBinary,
  getOption,
  hasOption,
  type DescField,
  type DescMessage,
  type FileRegistry,
} from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { name as eventName, stream } from "../../gen/waybill/event/v1/options_pb.js";

const IMAGE = new URL("../../contract/released.binpb", import.meta.url);

/** One event that the contract declares: a case of a topic's message. */
export interface DeclaredEvent {
  /** "order.created" */
  readonly name: string;
  /** The message of its topic. */
  readonly message: DescMessage;
  /** The case of the message's oneof. */
  readonly field: DescField;
}

export function readReleased(): FileRegistry {
  return createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(IMAGE)));
}

/** The events of every topic of the contract, in the order of their names. */
export function eventsOf(contract: FileRegistry): DeclaredEvent[] {
  const messages = [...contract].filter((type) => type.kind === "message");
  return messages
    .filter((message) => hasOption(message, stream))
    .flatMap((message) =>
      message.fields
        .filter((field) => hasOption(field, eventName))
        .map((field) => ({ name: getOption(field, eventName), message, field })),
    )
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
