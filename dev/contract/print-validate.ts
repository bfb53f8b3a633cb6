// Prints third_party/buf/validate/validate.proto from the descriptor that @bufbuild/protovalidate embeds,
// because no npm package ships that schema as a .proto file. Part of `npm run generate`.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import {
  getOption,
  hasOption,
  ScalarType,
  type DescEnum,
  type DescExtension,
  type DescField,
  type DescMessage,
  type DescOneof,
} from "@bufbuild/protobuf";
import { FieldDescriptorProto_Label } from "@bufbuild/protobuf/wkt";
import {
  file_buf_validate_validate as file,
  predefined,
  type PredefinedRules,
} from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";

const target = "third_party/buf/validate/validate.proto";
const localName = (typeName: string): string => typeName.replace(/^buf\.validate\./, "");
const indent = (lines: string[]): string[] => lines.map((line) => (line === "" ? "" : `  ${line}`));
const quoted = (text: string): string => JSON.stringify(text);

function typeOf(field: DescField | DescExtension): string {
  if (field.fieldKind === "map") {
    const value = field.mapKind === "scalar" ? ScalarType[field.scalar].toLowerCase() : "";
    return `map<${ScalarType[field.mapKey].toLowerCase()}, ${value}>`;
  }
  if (field.enum) return localName(field.enum.typeName);
  if (field.message) return localName(field.message.typeName);
  return ScalarType[field.scalar ?? 0]?.toLowerCase() ?? "";
}

function labelOf(field: DescField | DescExtension): string {
  if (field.fieldKind === "map" || (field.kind === "field" && field.oneof)) return "";
  if (field.proto.label === FieldDescriptorProto_Label.REPEATED) return "repeated ";
  return field.proto.label === FieldDescriptorProto_Label.REQUIRED ? "required " : "optional ";
}

/** The `(predefined).cel` options hold the rule's meaning: without them the printed schema would validate nothing. */
function predefinedOptions(rules: PredefinedRules): string[] {
  return rules.cel.map((rule) => {
    const parts = [`id: ${quoted(rule.id)}`];
    if (rule.message) parts.push(`message: ${quoted(rule.message)}`);
    parts.push(`expression: ${quoted(rule.expression)}`);
    return `(predefined).cel = { ${parts.join(", ")} }`;
  });
}

function optionsOf(field: DescField | DescExtension): string {
  const options: string[] = [];
  if (field.proto.options?.deprecated) options.push("deprecated = true");
  if (hasOption(field, predefined)) options.push(...predefinedOptions(getOption(field, predefined)));
  return options.length === 0 ? "" : ` [${options.join(", ")}]`;
}

const printField = (field: DescField | DescExtension): string =>
  `${labelOf(field)}${typeOf(field)} ${field.name} = ${field.number}${optionsOf(field)};`;

const printOneof = (oneof: DescOneof): string[] => [
  `oneof ${oneof.name} {`,
  ...indent(oneof.fields.map(printField)),
  "}",
];

const printEnum = (desc: DescEnum): string[] => [
  `enum ${desc.name} {`,
  ...indent([
    ...(desc.proto.options?.allowAlias ? ["option allow_alias = true;"] : []),
    ...desc.values.map((value) => `${value.name} = ${value.number};`),
    ...desc.proto.reservedRange.map((range) => `reserved ${range.start} to ${range.end};`),
  ]),
  "}",
];

function printMessage(desc: DescMessage): string[] {
  const members = desc.members.flatMap((member) =>
    member.kind === "oneof" ? printOneof(member) : [printField(member)],
  );
  const ranges = desc.proto.extensionRange.map(
    (range) => `extensions ${range.start} to ${(range.end ?? 0) > 536_870_911 ? "max" : (range.end ?? 0) - 1};`,
  );
  const reserved = [
    ...desc.proto.reservedRange.map((range) => `reserved ${range.start} to ${(range.end ?? 0) - 1};`),
    ...desc.proto.reservedName.map((name) => `reserved ${quoted(name)};`),
  ];
  return [
    `message ${desc.name} {`,
    ...indent([
      ...desc.nestedEnums.flatMap(printEnum),
      ...desc.nestedMessages.flatMap(printMessage),
      ...members,
      ...ranges,
      ...reserved,
    ]),
    "}",
    "",
  ];
}

function printExtensions(extensions: readonly DescExtension[]): string[] {
  return extensions.flatMap((extension) => [
    `extend .${extension.extendee.typeName} {`,
    ...indent([printField(extension)]),
    "}",
    "",
  ]);
}

const lines = [
  "// Printed by `npm run generate` from the descriptor in @bufbuild/protovalidate. Do not edit.",
  "// Copyright Buf Technologies, Inc., Apache License 2.0: https://github.com/bufbuild/protovalidate",
  `syntax = ${quoted(file.proto.syntax || "proto2")};`,
  "",
  "package buf.validate;",
  "",
  ...file.proto.dependency.map((path) => `import ${quoted(path)};`),
  "",
  ...printExtensions(file.extensions),
  ...file.enums.flatMap((desc) => [...printEnum(desc), ""]),
  ...file.messages.flatMap(printMessage),
];
mkdirSync(dirname(target), { recursive: true });
writeFileSync(target, `${lines.join("\n").trimEnd()}\n`);
