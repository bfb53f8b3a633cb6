// Finds the schema file of a symbol or an extension among those that are served.
import { toBinary, type DescExtension, type DescFile, type DescMessage } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";

export interface ReflectionIndex {
  /** By its path: "waybill/order/v1/order.proto". */
  fileNamed(name: string): DescFile | undefined;
  /** Of a message, field, oneof, enum, enum value, service, method or extension, by its full name. */
  fileOfSymbol(symbol: string): DescFile | undefined;
  fileOfExtension(extendee: string, number: number): DescFile | undefined;
  /** The numbers of all extensions of a message, ascending; undefined for an unknown message. */
  extensionNumbers(extendee: string): number[] | undefined;
}

/** Every file that these import, and they themselves, each once, imports first. */
export function withImports(files: Iterable<DescFile>): DescFile[] {
  const found = new Set<DescFile>();
  const visit = (file: DescFile): void => {
    if (found.has(file)) return;
    for (const dependency of file.dependencies) visit(dependency);
    found.add(file);
  };
  for (const file of files) visit(file);
  return [...found];
}

export const serialized = (file: DescFile): Uint8Array<ArrayBuffer> =>
  toBinary(FileDescriptorProtoSchema, file.proto);

export function indexFiles(files: Iterable<DescFile>): ReflectionIndex {
  const byName = new Map<string, DescFile>();
  const bySymbol = new Map<string, DescFile>();
  const extensions = new Map<string, Map<number, DescFile>>();
  for (const file of withImports(files)) {
    byName.set(file.proto.name, file);
    for (const symbol of symbolsOf(file)) bySymbol.set(symbol, file);
    for (const { extendee, number } of extensionsOf(file)) {
      const known = extensions.get(extendee.typeName) ?? new Map<number, DescFile>();
      extensions.set(extendee.typeName, known.set(number, file));
    }
  }
  return {
    fileNamed: (name) => byName.get(name),
    fileOfSymbol: (symbol) => bySymbol.get(symbol),
    fileOfExtension: (extendee, number) => extensions.get(extendee)?.get(number),
    extensionNumbers: (extendee) =>
      bySymbol.has(extendee)
        ? [...(extensions.get(extendee)?.keys() ?? [])].toSorted((a, b) => a - b)
        : undefined,
  };
}

const messagesOf = (parent: { readonly messages: readonly DescMessage[] }): DescMessage[] =>
  parent.messages.flatMap((message) => [
    message,
    ...messagesOf({ messages: message.nestedMessages }),
  ]);

const extensionsOf = (file: DescFile): DescExtension[] => [
  ...file.extensions,
  ...messagesOf(file).flatMap((message) => message.nestedExtensions),
];

function* symbolsOf(file: DescFile): Iterable<string> {
  const messages = messagesOf(file);
  for (const message of messages) {
    yield message.typeName;
    for (const member of [...message.fields, ...message.oneofs])
      yield `${message.typeName}.${member.name}`;
  }
  for (const anEnum of [...file.enums, ...messages.flatMap((message) => message.nestedEnums)]) {
    yield anEnum.typeName;
    // As in C++, a value's name stands beside its enum's, not under it.
    const scope = anEnum.typeName.slice(0, -anEnum.name.length);
    for (const value of anEnum.values) yield `${scope}${value.name}`;
  }
  for (const service of file.services) {
    yield service.typeName;
    for (const method of service.methods) yield `${service.typeName}.${method.name}`;
  }
  for (const extension of extensionsOf(file)) yield extension.typeName;
}
