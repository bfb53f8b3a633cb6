import { expect, it } from "vitest";
import { PassThrough } from "node:stream";
import { createLog } from "./log.ts";
import { continueTrace, runInTrace } from "./trace.ts";

function logged(write: (log: ReturnType<typeof createLog>) => void): string {
  const out = new PassThrough();
  write(createLog("order", "info", out));
  return String(out.read());
}

it("a failed query is logged without its parameters", () => {
  const error = Object.assign(
    new Error("Failed query: select $1\nparams: ada@example.com", {
      cause: new Error("no such table"),
    }),
    {
      query: "select $1",
      params: ["ada@example.com"],
    },
  );

  const line = logged((log) =>
    log.error({ error: new Error("outer", { cause: error }) }, "failed"),
  );

  expect(line).not.toContain("ada@example.com");
  expect(line).toContain("failed query: select $1");
  expect(line).toContain("no such table");
});

it("secrets and addresses are struck out where they are logged by mistake", () => {
  const line = logged((log) =>
    log.info(
      {
        email: "ada@example.com",
        order: { contact: { phoneNumber: "+4915112345678" } },
        headers: { authorization: "Bearer x.y.z" },
      },
      "oops",
    ),
  );

  expect(line).not.toMatch(/ada@|\+49|x\.y\.z/);
});

it("a line says which trace and request it belongs to, unless it says so itself", () => {
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

  const of = (work: (log: ReturnType<typeof createLog>) => void): unknown =>
    JSON.parse(logged((log) => runInTrace({ traceparent, requestId: "r-1" }, () => work(log))));

  expect(of((log) => log.info("hello"))).toMatchObject({ traceparent, requestId: "r-1" });
  expect(of((log) => log.info({ requestId: "r-2" }, "hello"))).toMatchObject({ requestId: "r-2" });
  expect(logged((log) => log.info("nobody asked"))).not.toContain("traceparent");
});

it("work that was left for later is logged in the trace that was stored with it", () => {
  const traceId = "0af7651916cd43dd8448eb211c80319c";
  const stored = `00-${traceId}-b7ad6b7169203331-01`;

  const line = logged((log) => continueTrace(stored, () => log.info("done at last")));

  expect(line).toContain(traceId);
  expect(line).not.toContain("b7ad6b7169203331"); // a span of its own
});
