// For tests: a service on a free loopback port, with tokens for those who call it and its log lines at hand.
import {
  create,
  fromBinary,
  toBinary,
  type DescMessage,
  type DescMethodUnary,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";
import { Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import { openIssuer, type Issuer } from "../access/issuer.fixture.ts";
import { createTokenMinter, createTokenVerifier, type TokenMinter } from "../access/token.ts";
import { createLog, type Log } from "../log.ts";
import { serve, type RpcServer, type ServeOptions } from "./server.ts";

export interface LogLines {
  readonly log: Log;
  readonly lines: readonly Readonly<Record<string, unknown>>[];
}

export function collectLog(): LogLines {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string) => {
    lines.push(JSON.parse(line) as Record<string, unknown>);
  };
  return { log: createLog("order", "debug", { write }), lines };
}

export interface Serving extends AsyncDisposable, LogLines {
  readonly server: RpcServer;
  readonly issuer: Issuer;
  /** Makes tokens of the service "order". */
  readonly minter: TokenMinter;
  /** A customer's Authorization header. */
  readonly customer: string;
}

export async function openServing(
  o: Pick<ServeOptions, "routes"> & Partial<ServeOptions>,
): Promise<Serving> {
  const issuer = await openIssuer();
  const { log, lines } = collectLog();
  const server = await serve({
    service: "order",
    host: "127.0.0.1",
    port: 0,
    verifier: await createTokenVerifier({ audience: "order", ...issuer }),
    ready: () => Promise.resolve(true),
    log,
    ...o,
  });
  return {
    server,
    issuer,
    log,
    lines,
    minter: await createTokenMinter({ service: "order", privateKey: issuer.privateKeyOf("order") }),
    customer: await issuer.header({ sub: "c1" }),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await issuer[Symbol.asyncDispose]();
    },
  };
}

export const pathOf = (method: DescMethodUnary): string =>
  `/${method.parent.typeName}/${method.name}`;

export const postJson = (
  url: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Response> =>
  fetch(url, {
    method: "POST",
    body: JSON.stringify(body),
    headers: { "content-type": "application/json", ...headers },
  });

/** A gRPC client of another make, connected until it is closed. */
export const openForeign = ({ server }: Serving): Client =>
  new Client(`127.0.0.1:${server.port}`, credentials.createInsecure());

export function callForeign<I extends DescMessage, O extends DescMessage>(
  client: Client,
  method: DescMethodUnary<I, O>,
  message: MessageInitShape<I>,
  authorization?: string,
): Promise<MessageShape<O>> {
  const metadata = new Metadata();
  if (authorization !== undefined) metadata.set("authorization", authorization);
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      pathOf(method),
      (request: MessageShape<I>) => Buffer.from(toBinary(method.input, request)),
      (bytes: Buffer) => fromBinary(method.output, bytes),
      create(method.input, message),
      metadata,
      (error: ServiceError | null, answer?: MessageShape<O>) =>
        answer === undefined ? reject(error ?? new Error("no answer")) : resolve(answer),
    );
  });
}
