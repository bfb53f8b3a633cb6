// The transcoder behind Node's own HTTP server, asked over loopback.
import { once } from "node:events";
import { type RequestOptions, createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it } from "vitest";
import { libraryWith, recording } from "./library.fixture.ts";
import { nodeHandler } from "./node.ts";
import type { TranscoderOptions } from "./transcoder.ts";

const library = libraryWith({
  PutBook: { pattern: { case: "put", value: "/books/{name}" }, body: "*" },
});

async function serve(options: Partial<TranscoderOptions> = {}) {
  const { transcoder, calls } = recording([library], { maxBodyBytes: 100, ...options });
  const handler = nodeHandler(transcoder, { maxBodyBytes: 100, requestId: () => "r" });
  const server = createServer((req, res) => void handler(req, res)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${String(port)}`,
    port,
    calls,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

const headers = { "content-type": "application/json" };

it("a client is answered", async () => {
  await using server = await serve();
  const answer = await fetch(`${server.url}/books/a%2Fb`, {
    method: "PUT",
    headers,
    body: '{"force":true}',
  });
  expect(answer.status).toBe(200);
  expect(server.calls).toMatchObject([{ request: { name: "a/b", force: true } }]);
});

it("a body over the limit is refused, however it is sent", async () => {
  await using server = await serve();
  const answer = await fetch(`${server.url}/books/a`, {
    method: "PUT",
    headers,
    body: " ".repeat(5000),
  });
  expect(answer.status).toBe(413);
  expect(await answer.json()).toMatchObject({ code: "resource_exhausted", request_id: "r" });
});

it("a client that goes away cancels the call", async () => {
  const called = Promise.withResolvers<AbortSignal>();
  await using server = await serve({
    invoke: (_method, _request, call) => {
      called.resolve(call.signal);
      return new Promise((_, reject) => {
        call.signal.addEventListener("abort", () => reject(new Error("gone")));
      });
    },
  });
  const options: RequestOptions = { port: server.port, path: "/books/a", method: "PUT", headers };
  const client = request(options).on("error", () => undefined);
  client.end("{}");
  const signal = await called.promise;
  client.destroy();
  await once(signal, "abort");
  expect(signal.aborted).toBe(true);
});

it("a client that goes away within its body calls nothing", async () => {
  await using server = await serve();
  const options: RequestOptions = { port: server.port, path: "/books/a", method: "PUT", headers };
  const client = request(options).on("error", () => undefined);
  client.write("{");
  await once(client, "socket");
  client.destroy();
  const answer = await fetch(`${server.url}/nothing`);
  expect(answer.status).toBe(404);
  expect(server.calls).toEqual([]);
});
