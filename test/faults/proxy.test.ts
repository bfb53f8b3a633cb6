// A proxy that only seems to misbehave would make a fault of nothing: each of its modes is looked at from both ends.
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { eventually } from "../harness/eventually.ts";
import { openProxy, type Proxy } from "./proxy.ts";

/** Long enough that bytes which may pass have passed. */
const SILENCE_MS = 150;

/** A server that answers everything with the same, and remembers it. */
interface Echo extends AsyncDisposable {
  readonly port: number;
  readonly heard: string[];
  readonly open: Set<Socket>;
}

async function openEcho(): Promise<Echo> {
  const heard: string[] = [];
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket)).on("error", () => undefined);
    socket.on("data", (bytes) => {
      heard.push(String(bytes));
      socket.write(bytes);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    heard,
    open,
    [Symbol.asyncDispose]: async () => {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

let echo: Echo;
let proxy: Proxy;
const clients: Socket[] = [];
beforeEach(async () => {
  echo = await openEcho();
  proxy = await openProxy(echo.port);
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await proxy[Symbol.asyncDispose]();
  await echo[Symbol.asyncDispose]();
});

interface Client {
  readonly socket: Socket;
  readonly heard: string[];
  /** "reset", "closed" or undefined while it is open. */
  ended(): string | undefined;
}

async function newClient(): Promise<Client> {
  const socket = connect(proxy.port, "127.0.0.1");
  clients.push(socket);
  const heard: string[] = [];
  let ended: string | undefined;
  socket.on("data", (bytes) => heard.push(String(bytes)));
  socket.on("error", () => (ended = "reset"));
  socket.on("close", () => (ended ??= "closed"));
  await once(socket, "connect");
  return { socket, heard, ended: () => ended };
}

/** A client whose connection works. */
async function workingClient(): Promise<Client> {
  const client = await newClient();
  client.socket.write("hello");
  await eventually(() => expect(client.heard).toEqual(["hello"]));
  return client;
}

const silence = () => new Promise((resolve) => setTimeout(resolve, SILENCE_MS));

test("a blackhole lets nothing through, and what waited arrives late when it is over", async () => {
  const client = await workingClient();
  proxy.set({ kind: "blackhole" });
  client.socket.write(" late");
  const another = await newClient();
  another.socket.write("new");
  await silence();
  expect(echo.heard).toEqual(["hello"]);
  client.socket.destroy();
  await silence();
  expect(echo.open.size).toBe(2);

  proxy.set({ kind: "pass" });
  await eventually(() => expect(echo.heard.toSorted()).toEqual([" late", "hello", "new"]));
  await eventually(() => expect(another.heard).toEqual(["new"]));
  await eventually(() => expect(echo.open.size).toBe(1));
});

test("half-open: the server's end is gone, the client hears nothing of it and is dead for good", async () => {
  const client = await workingClient();
  proxy.set({ kind: "half_open" });
  await eventually(() => expect(echo.open.size).toBe(0));
  proxy.set({ kind: "pass" });
  client.socket.write("anybody?");
  await silence();
  expect(client.ended()).toBeUndefined();
  expect(echo.heard).toEqual(["hello"]);
  await workingClient();
});

test("a reset in the middle of a request: the server got a part of it", async () => {
  const client = await workingClient();
  proxy.set({ kind: "reset", afterBytes: 4 });
  client.socket.write("abc");
  await eventually(() => expect(echo.heard).toEqual(["hello", "abc"]));
  client.socket.write("def");
  await eventually(() => expect(client.ended()).toBe("reset"));
  proxy.set({ kind: "reset" });
  const another = connect(proxy.port, "127.0.0.1");
  const [error] = await once(another, "error").catch((thrown: unknown) => [thrown]);
  expect(error).toMatchObject({ code: "ECONNRESET" });
});

test("a lost answer: the server got the request, the client a reset", async () => {
  const client = await workingClient();
  proxy.set({ kind: "drop_response" });
  client.socket.write("do it");
  await eventually(() => expect(client.ended()).toBe("reset"));
  expect(echo.heard).toEqual(["hello", "do it"]);
  expect(client.heard).toEqual(["hello"]);
});

test("a delay is kept in both directions, and the order of the bytes with it", async () => {
  const client = await workingClient();
  proxy.set({ kind: "delay", ms: 100 });
  const began = performance.now();
  for (const text of ["a", "b", "c"]) client.socket.write(text);
  await eventually(() => expect(client.heard.join("")).toBe("helloabc"));
  expect(performance.now() - began).toBeGreaterThan(190);
});

test("new connections can be cut off while the open ones go on", async () => {
  const client = await workingClient();
  proxy.set({ kind: "blackhole" }, "new");
  const another = await newClient();
  another.socket.write("new");
  client.socket.write("!");
  await eventually(() => expect(client.heard.join("")).toBe("hello!"));
  expect(echo.heard).not.toContain("new");
});
