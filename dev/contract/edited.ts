// A contract that differs from the present one, built at run time from its descriptors: as a newer writer's would, or a broken one.
import {
  clone,
  create,
  createFileRegistry,
  type DescFile,
  type DescMessage,
  type FileRegistry,
} from "@bufbuild/protobuf";
import { protoCamelCase } from "@bufbuild/protobuf/reflect";
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProtoSchema,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  type DescriptorProto,
  type EnumDescriptorProto,
  type FieldDescriptorProto_Type,
  type FieldOptions,
  type FileDescriptorProto,
} from "@bufbuild/protobuf/wkt";

/** The declarations of a contract, to be changed. Throws for one that is not there. */
export interface Draft {
  /** "waybill.order.v1.OrderEvent" */
  message(typeName: string): DescriptorProto;
  enumeration(typeName: string): EnumDescriptorProto;
  /** Adds a message to the file that holds another one. */
  addMessage(beside: string, message: DescriptorProto): void;
}

/** The contract of these messages and of all they stand on, after the edit. */
export function editedContract(
  schemas: readonly DescMessage[],
  edit: (draft: Draft) => void = () => undefined,
): FileRegistry {
  const files = new Set<DescFile>();
  for (const schema of schemas) addFile(files, schema.file);
  const file = [...files].map(({ proto }) => clone(FileDescriptorProtoSchema, proto));
  edit({
    message: (typeName) => declared(file, typeName, (one) => one.messageType).found,
    enumeration: (typeName) => declared(file, typeName, (one) => one.enumType).found,
    addMessage: (beside, message) =>
      void declared(file, beside, (one) => one.messageType).file.messageType.push(message),
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
    readonly options?: FieldOptions;
  },
): void {
  const label = FieldDescriptorProto_Label.OPTIONAL;
  const jsonName = protoCamelCase(field.name);
  message.field.push(create(FieldDescriptorProtoSchema, { ...field, label, jsonName }));
}

/** The file and all that it imports, each once, what is imported first. */
function addFile(files: Set<DescFile>, file: DescFile): void {
  if (files.has(file)) return;
  for (const dependency of file.dependencies) addFile(files, dependency);
  files.add(file);
}

function declared<T extends { readonly name: string }>(
  files: readonly FileDescriptorProto[],
  typeName: string,
  declarationsOf: (file: FileDescriptorProto) => readonly T[],
): { readonly file: FileDescriptorProto; readonly found: T } {
  for (const file of files) {
    const found = declarationsOf(file).find((one) => `${file.package}.${one.name}` === typeName);
    if (found !== undefined) return { file, found };
  }
  throw new Error(`The contract has no ${typeName}.`);
}
