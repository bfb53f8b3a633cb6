// Answers requests of Node's own HTTP server from a transcoder.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Transcoder } from "./transcoder.ts";

export interface NodeHandlerOptions {
  readonly maxBodyBytes: number;
  readonly requestId: (request: IncomingMessage) => string;
}

type NodeHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** The call is cancelled when the client goes away before the answer is out. Never rejects. */
export function nodeHandler(transcoder: Transcoder, options: NodeHandlerOptions): NodeHandler {
  return async (request, response) => {
    const gone = new AbortController();
    response.once("close", () => {
      if (!response.writableFinished) gone.abort(new Error("the client is gone"));
    });
    const body = await readUpTo(request, options.maxBodyBytes);
    // Without a body there is nobody left to answer.
    if (body === undefined) return;
    const answer = await transcoder.handle({
      method: request.method ?? "GET",
      rawUrl: request.url ?? "/",
      headers: request.headers,
      body,
      signal: gone.signal,
      requestId: options.requestId(request),
    });
    if (response.destroyed) return;
    response.writeHead(answer.status, answer.headers);
    response.end(answer.body);
  };
}

/** The body, or its first bytes beyond the limit, by which the transcoder knows that it is too large. */
async function readUpTo(
  request: IncomingMessage,
  maxBytes: number,
): Promise<Uint8Array | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length;
      // What lies beyond the limit is read and dropped, so that the client hears the answer.
      if (size - chunk.length <= maxBytes) chunks.push(chunk);
    }
  } catch (error) {
    if (request.destroyed) return undefined;
    throw error;
  }
  return Buffer.concat(chunks);
}
