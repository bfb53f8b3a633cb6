// A request that is no message of its kind in the binary format is the caller's mistake: Connect says INTERNAL of it.
import { Code, ConnectError, type ConnectRouter, type Interceptor } from "@connectrpc/connect";
import { codeToHttpStatus, codeToString } from "@connectrpc/connect/protocol-connect";

type Handler = ConnectRouter["handlers"][number];
type Answer = Awaited<ReturnType<Handler>>;

/** What Connect says where the bytes cannot be read; in a trailer of gRPC its signs may be escaped. */
const UNREADABLE = /^parse(?: |%20)binary/;
const MESSAGE = "The request is not a message of this kind: its bytes cannot be read.";
const MAX_ERROR_BYTES = 10_000;

/** The request of a stream is read while the call runs already, so that the error comes by the interceptors. */
export const readStreams: Interceptor = (next) => (request) =>
  next(request.stream ? { ...request, message: readable(request.message) } : request);

async function* readable<T>(messages: AsyncIterable<T>): AsyncIterable<T> {
  try {
    yield* messages;
  } catch (error) {
    if (!(error instanceof ConnectError) || !UNREADABLE.test(error.rawMessage)) throw error;
    throw new ConnectError(MESSAGE, Code.InvalidArgument);
  }
}

/** Puts the answers of these handlers right: of gRPC in the trailer, of Connect in the body of a 500. */
export function tellMalformed(handlers: Handler[]): void {
  for (const [index, handler] of handlers.entries()) {
    const telling = async (request: Parameters<Handler>[0]): Promise<Answer> =>
      corrected(await handler(request));
    handlers[index] = Object.assign(telling, { ...handler });
  }
}

async function corrected(answer: Answer): Promise<Answer> {
  const { body, trailer, header } = answer;
  if (body === undefined) return answer;
  if (trailer !== undefined) return { ...answer, body: withTrailer(body, trailer) };
  if (answer.status !== codeToHttpStatus(Code.Internal)) return answer;
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  const isUnreadable = bytes.length < MAX_ERROR_BYTES && UNREADABLE.test(messageOf(bytes));
  if (!isUnreadable) return { ...answer, body: once(bytes) };
  const code = codeToString(Code.InvalidArgument);
  const told = Buffer.from(JSON.stringify({ code, message: MESSAGE }));
  header?.set("content-length", String(told.length));
  return { ...answer, status: codeToHttpStatus(Code.InvalidArgument), body: once(told) };
}

/** The trailer is written when the body has ended. */
async function* withTrailer(
  body: AsyncIterable<Uint8Array>,
  trailer: Headers,
): AsyncIterable<Uint8Array> {
  yield* body;
  if (!UNREADABLE.test(trailer.get("grpc-message") ?? "")) return;
  trailer.set("grpc-status", String(Code.InvalidArgument));
  trailer.set("grpc-message", encodeURIComponent(MESSAGE));
}

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}

function messageOf(bytes: Buffer): string {
  try {
    const error = JSON.parse(bytes.toString()) as { readonly message?: unknown };
    return typeof error.message === "string" ? error.message : "";
  } catch {
    return ""; // an answer that is compressed is left as it is
  }
}
