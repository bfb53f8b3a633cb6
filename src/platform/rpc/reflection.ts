// grpc.reflection v1 and v1alpha: grpcurl, buf curl and their like learn the schema from the running service.
import type { DescFile } from "@bufbuild/protobuf";
import { Code, type ConnectRouter } from "@connectrpc/connect";
import {
  ServerReflection,
  type ServerReflectionRequest,
} from "../../../gen/grpc/reflection/v1/reflection_pb.js";
import {
  ServerReflection as ServerReflectionAlpha,
  type ServerReflectionRequest as AlphaRequest,
} from "../../../gen/grpc/reflection/v1alpha/reflection_pb.js";
import { indexFiles, serialized, withImports, type ReflectionIndex } from "./reflection-index.ts";

/** The answer is the same in both versions. */
type Answer =
  | { case: "errorResponse"; value: { errorCode: Code; errorMessage: string } }
  | { case: "fileDescriptorResponse"; value: { fileDescriptorProto: Uint8Array<ArrayBuffer>[] } }
  | { case: "listServicesResponse"; value: { service: { name: string }[] } }
  | {
      case: "allExtensionNumbersResponse";
      value: { baseTypeName: string; extensionNumber: number[] };
    };

/** So is what is asked. */
type Question = ServerReflectionRequest["messageRequest"] | AlphaRequest["messageRequest"];

export interface ReflectionParts {
  /** The full names of the services that are served. */
  readonly services: () => readonly string[];
  /** The files to tell of; what they import is told of too. */
  readonly files: () => Iterable<DescFile>;
}

const notFound = (what: string): Answer => ({
  case: "errorResponse",
  value: { errorCode: Code.NotFound, errorMessage: `${what} is not known here` },
});

/** The file asked for comes first, then what it imports, so that one answer is enough. */
function fileAnswer(file: DescFile | undefined, what: string): Answer {
  if (!file) return notFound(what);
  const files = withImports([file]).toReversed();
  return { case: "fileDescriptorResponse", value: { fileDescriptorProto: files.map(serialized) } };
}

function answer(question: Question, index: ReflectionIndex, services: readonly string[]): Answer {
  switch (question.case) {
    case "listServices":
      return {
        case: "listServicesResponse",
        value: { service: services.toSorted().map((name) => ({ name })) },
      };
    case "fileByFilename":
      return fileAnswer(index.fileNamed(question.value), `the file "${question.value}"`);
    case "fileContainingSymbol":
      return fileAnswer(index.fileOfSymbol(question.value), `the symbol "${question.value}"`);
    case "fileContainingExtension": {
      const { containingType, extensionNumber } = question.value;
      const file = index.fileOfExtension(containingType, extensionNumber);
      return fileAnswer(file, `the extension ${extensionNumber} of "${containingType}"`);
    }
    case "allExtensionNumbersOfType": {
      const extensionNumber = index.extensionNumbers(question.value);
      if (!extensionNumber) return notFound(`the type "${question.value}"`);
      return {
        case: "allExtensionNumbersResponse",
        value: { baseTypeName: question.value, extensionNumber },
      };
    }
    case undefined:
      return {
        case: "errorResponse",
        value: { errorCode: Code.InvalidArgument, errorMessage: "nothing was asked" },
      };
    default:
      return question satisfies never;
  }
}

export const reflectionRoutes =
  (parts: ReflectionParts, options: Parameters<ConnectRouter["service"]>[2]) =>
  (router: ConnectRouter): void => {
    // Built at the first question: most processes are never asked.
    let index: ReflectionIndex | undefined;
    const tell = (question: Question): Answer =>
      answer(question, (index ??= indexFiles(parts.files())), parts.services());

    async function* replies<R extends ServerReflectionRequest | AlphaRequest>(
      requests: AsyncIterable<R>,
    ) {
      for await (const request of requests) {
        yield {
          validHost: request.host,
          originalRequest: request,
          messageResponse: tell(request.messageRequest),
        };
      }
    }
    router.service(ServerReflection, { serverReflectionInfo: replies }, options);
    router.service(ServerReflectionAlpha, { serverReflectionInfo: replies }, options);
  };
