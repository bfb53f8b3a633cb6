// A contract that differs from the present one, built at run time from its descriptors: as a newer writer's would, or a broken one.
import {
  clone,
  create,
  createFileRegistry,
  type DescFile,
  type DescMessage,
  type FileRegistry,
} from "@bufbuild/protobuf";
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProtoSchema,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  type DescriptorProto,
  type EnumDescriptorProto,
  type FieldDescriptorProto_Type,
  type FileDescriptorProto,
} from "@bufbuild/protobuf/wkt";

/** The declarations of a contract, to be changed. Throws for one that is not there. */
export interface Draft {
  /** "waybill.order.v1.OrderEvent" */
  message(typeName: string): DescriptorProto;
  enumeration(typeName: string): EnumDescriptorProto;
}

/** The contract of this message and of all it stands on, after the edit. */
export function editedContract(
  schema: DescMessage,
  edit: (draft: Draft) => void = () => undefined,
): FileRegistry {
  const file = [...filesOf(schema.file)].map(({ proto }) => clone(FileDescriptorProtoSchema, proto));
  edit({
    message: (typeName) => declared(file, typeName, (one) => one.messageType),
    enumeration: (typeName) => declared(file, typeName, (one) => one.enumType),
  });
  return createFileRegistry(create(FileDescriptorSetSchema, { file }));
}

/** A message of a contract. Throws where it has none of this name. */
export function messageIn(contract: FileRegistry, typeName: string): DescMessage {
  const message = contract.getMessage(typeName);
  if (message === undefined) throw new Error(`The contract has no ${typeName}.`);
  return message;
}

/** A field that is not repeated. `oneofIndex` puts it into the message's oneof of this number. */
export function addField(
  message: DescriptorProto,
  field: {
    readonly name: string;
    readonly number: number;
    readonly type: FieldDescriptorProto_Type;
    /** Of a message or an enum: its name with a dot before it. */
    readonly typeName?: string;
    readonly oneofIndex?: number;
  },
): void {
  const label = FieldDescriptorProto_Label.OPTIONAL;
  message.field.push(create(FieldDescriptorProtoSchema, { ...field, label }));
}

/** The file and all that it imports, each once, what is imported first. */
function filesOf(file: DescFile, seen = new Set<DescFile>()): Set<DescFile> {
  if (seen.has(file)) return seen;
  for (const dependency of file.dependencies) filesOf(dependency, seen);
  return seen.add(file);
}

function declared<T extends { readonly name: string }>(
  files: readonly FileDescriptorProto[],
  typeName: string,
  declarationsOf: (file: FileDescriptorProto) => readonly T[],
): T {
  for (const file of files) {
    const found = declarationsOf(file).find((one) => `${file.package}.${one.name}` === typeName);
    if (found !== undefined) return found;
  }
  throw new Error(`The contract has no ${typeName}.`);
}
