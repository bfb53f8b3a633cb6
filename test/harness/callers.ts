// Every kind of caller that an RPC can have, and any RPC called by any of them.
import {
  type DescMethod,
  type DescMethodServerStreaming,
  fromJson,
  toJsonString,
  type JsonValue,
} from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import { codeToString } from "@connectrpc/connect/protocol-connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { STORES, type Store } from "../../dev/backends/databases.ts";
import { ask } from "./http.ts";
import { type Person, serviceToken } from "./people.ts";
import type { Place } from "./place.ts";

const ANSWER_WITHIN_MS = 15_000;

export interface Caller {
  readonly kind: "anonymous" | "customer" | "operator" | "service";
  /** Of a service, its name. */
  readonly service?: Store;
  /** Whether the row is this caller's, or of the customer for whom the service acts; an operator sees them all. */
  readonly owns: boolean;
  readonly token: (audience: string) => Promise<string | undefined> | string | undefined;
}

/** Each of them, by what they are to a row of the owner's. */
export const callersOf = (
  place: Place,
  { owner, other }: { readonly owner: () => Person; readonly other: () => Person },
): Readonly<Record<string, Caller>> => ({
  "its owner": { kind: "customer", owns: true, token: () => owner().token },
  "another customer": { kind: "customer", owns: false, token: () => other().token },
  "somebody without a token": { kind: "anonymous", owns: false, token: () => undefined },
  "an operator": { kind: "operator", owns: true, token: () => place.stack.tokens.operator },
  ...Object.fromEntries(
    STORES.flatMap((service) => [
      [`the service ${service}`, asService(place, service, true)],
      [`the service ${service} for its owner`, asService(place, service, true, owner)],
      [`the service ${service} for another customer`, asService(place, service, false, other)],
    ]),
  ),
});

const asService = (
  place: Place,
  service: Store,
  owns: boolean,
  onBehalfOf?: () => Person,
): Caller => ({
  kind: "service",
  service,
  owns,
  token: (audience) => serviceToken(place, service, audience, onBehalfOf?.().id),
});

export interface Heard {
  readonly status: number;
  /** "ok", or the code that the call ended with. */
  readonly code: string;
  /** The whole answer; of a stream its first message. */
  readonly text: string;
}

/** Calls the RPC as JSON over Connect, whether it answers once or with a stream. */
export async function call(
  url: string,
  method: DescMethod,
  body: JsonValue,
  token: string | undefined,
): Promise<Heard> {
  if (isWatched(method)) return await firstOf(url, method, body, token);
  const path = `/${method.parent.typeName}/${method.name}`;
  const answer = await ask(`${url}${path}`, { body, ...(token !== undefined && { token }) });
  const { code = "ok" } = (answer.json ?? {}) as { code?: string };
  return { status: answer.status, code, text: answer.text };
}

const isWatched = (method: DescMethod): method is DescMethodServerStreaming =>
  method.methodKind === "server_streaming";

async function firstOf(
  url: string,
  method: DescMethodServerStreaming,
  body: JsonValue,
  token: string | undefined,
): Promise<Heard> {
  const transport = createConnectTransport({
    baseUrl: url,
    httpVersion: "1.1",
    useBinaryFormat: false,
  });
  const leave = new AbortController();
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const question = fromJson(method.input, body);
  try {
    const answer = await transport.stream(
      method,
      leave.signal,
      ANSWER_WITHIN_MS,
      headers,
      (async function* () {
        yield question;
      })(),
    );
    for await (const message of answer.message)
      return { status: 200, code: "ok", text: toJsonString(method.output, message) };
    throw new Error(`${method.name} ended without a message`);
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error;
    return { status: 0, code: codeToString(error.code), text: error.message };
  } finally {
    leave.abort();
  }
}
