import { expect, it } from "vitest";
import { PassThrough } from "node:stream";
import { createLog } from "./log.ts";

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
