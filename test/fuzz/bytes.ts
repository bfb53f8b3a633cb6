// What only the binary format can say: wrong wire types, texts that are no UTF-8, lengths beyond the end, times that are none.
import { fromJson, ScalarType, toBinary, type DescField, type JsonValue } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { Case } from "./judge.ts";
import type { Target } from "./targets.ts";

const HUGE = 2n ** 62n;

/** A request for each field of the message, right but for that field. */
export function byteCasesOf(target: Target): Case[] {
  const { input } = target.method;
  return input.fields.flatMap((field) =>
    Object.entries(wrongsOf(field)).map(([what, write]): Case => {
      const { [field.jsonName]: _wrong, ...rest } = target.sample();
      const writer = new BinaryWriter().raw(toBinary(input, fromJson(input, rest as JsonValue)));
      const bytes = write(writer).finish();
      const text = Buffer.from(bytes).toString("hex");
      return {
        target,
        what: `${target.method.name} ${field.name}: ${what}`,
        names: [],
        text,
        bytes,
      };
    }),
  );
}

type Write = (writer: BinaryWriter) => BinaryWriter;

function wrongsOf({ number, scalar, message }: DescField): Readonly<Record<string, Write>> {
  const tag = (type: WireType) => (writer: BinaryWriter) => writer.tag(number, type);
  const text = tag(WireType.LengthDelimited);
  return {
    "a varint": (writer) => tag(WireType.Varint)(writer).int64(HUGE),
    "32 bits": (writer) => tag(WireType.Bit32)(writer).fixed32(1),
    "64 bits": (writer) => tag(WireType.Bit64)(writer).fixed64(1n),
    "a text": (writer) => text(writer).bytes(new Uint8Array([1, 2, 3])),
    "a length beyond the end": (writer) => text(writer).uint32(1000),
    "a group without an end": tag(WireType.StartGroup),
    "a varint without an end": (writer) =>
      tag(WireType.Varint)(writer).raw(new Uint8Array(11).fill(0xff)),
    ...(scalar === ScalarType.STRING && {
      "no UTF-8": (writer: BinaryWriter) => text(writer).bytes(new Uint8Array([0x41, 0xff, 0xfe])),
      "a NUL": (writer: BinaryWriter) => text(writer).string("a\0b"),
    }),
    ...(message !== undefined && {
      "a time beyond all": (writer: BinaryWriter) =>
        text(writer)
          .fork()
          .tag(1, WireType.Varint)
          .int64(HUGE)
          .tag(2, WireType.Varint)
          .int32(-1)
          .join(),
    }),
  };
}
