// How a connection is told apart by its first bytes, however they arrive.
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { expect, test } from "vitest";
import { onFirstBytes } from "./first-bytes.ts";

/** Sends the pieces one by one, and gives the decision and all bytes that were there after it; undefined if there was none. */
async function decisionOn(pieces: readonly string[], timeoutMs = 5_000) {
  const accepted = Promise.withResolvers<Socket>();
  const server = createServer((socket) => accepted.resolve(socket)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1").setNoDelay(true);
  const socket = await accepted.promise;
  const decided = Promise.withResolvers<boolean | undefined>();
  onFirstBytes(socket, { start: "PRI", timeoutMs }, decided.resolve);
  socket.once("close", () => decided.resolve(undefined));
  for (const piece of pieces)
    await new Promise<void>((resolve) => client.write(piece, () => resolve()));

  const matches = await decided.promise;
  if (matches !== undefined) client.end();
  const bytes = matches === undefined ? "" : Buffer.concat(await socket.toArray()).toString();
  socket.destroy();
  client.destroy();
  server.close();
  return { matches, bytes };
}

test.each([
  [["PRI * HTTP/2.0"], true],
  [["P", "RI", " * HTTP/2.0"], true],
  [["GET / HTTP/1.1"], false],
  [["P", "UT / HTTP/1.1"], false],
  [["PR", "OPFIND / HTTP/1.1"], false],
])("a connection that begins %j is known, and nothing of it is lost", async (pieces, expected) => {
  expect(await decisionOn(pieces)).toEqual({ matches: expected, bytes: pieces.join("") });
});

test("a connection that says too little for too long is closed", async () => {
  expect(await decisionOn(["PR"], 20)).toEqual({ matches: undefined, bytes: "" });
});
