// The promise: an operator needs no other tool than the command line to find what is stuck and to put it right; programs neither.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  inject,
  test,
  vi,
} from "vitest";
import { v7 } from "uuid";
import { runEvents } from "../cli/events/run.ts";
import { UsageError } from "../cli/usage.ts";
import { OrderEventSchema } from "../gen/waybill/order/v1/order_event_pb.js";
import { adminAt, dies, heldOf, waybill } from "./harness/admin.ts";
import { eventually } from "./harness/eventually.ts";
import { orderCreated, openPutter, type RecordPutter } from "./harness/records.ts";
import { mailsTo } from "./harness/sandbox.ts";
import { openFolder } from "./harness/stack.ts";

const place = inject("shared");
const admin = adminAt(place, "notification");

let putter: RecordPutter;
beforeAll(async () => {
  putter = await openPutter(place);
});
afterAll(() => putter?.[Symbol.asyncDispose]());

afterEach(() => void vi.unstubAllEnvs());

let orderId: string;
let email: string;
beforeEach(() => {
  orderId = v7();
  email = `cli-${orderId}@example.com`;
});

const put = (sequence: number, value: Uint8Array): Promise<string> =>
  putter.put(OrderEventSchema, { key: orderId, sequence, type: "order.created", value });

const events = (...args: string[]) => waybill(place, ["events", ...args]);

/** The JSON document that the command prints. */
async function json<T>(...args: string[]): Promise<T> {
  const { out, error, code } = await events(...args, "--json");
  expect({ error, code }).toEqual({ error: "", code: 0 });
  const document: T = JSON.parse(out);
  return document;
}

describe("waybill events", () => {
  test("finds a dead event, shows it, and gives it up so that its key goes on", async () => {
    const first = await put(1, Buffer.from("no event"));
    await dies(admin, orderId, first);
    const second = await put(2, orderCreated(orderId, email, "CLI-1"));
    await eventually(async () =>
      expect(await heldOf(place, "notification", orderId)).toEqual([first, second]),
    );

    const status = await events("status", "--service", "notification");
    expect(status).toMatchObject({ code: 0, error: "" });
    expect(status.out).toMatch(/^notification\n {2}to send +\S.*\n {2}relays +1 live, 16 of 16/);
    expect(status.out).toMatch(
      /\n {2}dead +\d+ events?, \d+ keys? stuck behind them: events dead list/,
    );

    const list = await events("dead", "list", "--key", orderId);
    expect(list.out).toMatch(
      /^SERVICE +EVENT +TYPE +TOPIC +KEY +SEQ +DEAD SINCE +BEHIND IT +REASON\n/,
    );
    expect(list.out).toMatch(
      new RegExp(`\nnotification +${first} +order.created +\\S+ +${orderId} +1 `),
    );
    const { deadLetters } = await json<{ deadLetters: object[] }>("dead", "list", "--key", orderId);
    expect(deadLetters).toMatchObject([
      { service: "notification", eventId: first, key: orderId, laterEventCount: "1" },
    ]);
    const keys = await events("keys", "--state", "dead", "--service", "notification");
    expect(keys.out).toMatch(new RegExp(`\nnotification +${orderId} +\\S+ +dead +${first} `));
    const shown = await events("dead", "show", first);
    expect(shown.out).toContain(`  ce_id: ${first}`);
    expect(shown.out).toContain(Buffer.from("no event").toString("base64"));
    expect(shown.out).toMatch(/\nerror\n {2}Error: The value is no waybill.order.v1.OrderEvent/);

    const skip = await events(
      "dead",
      "skip",
      first,
      "--service",
      "notification",
      "--reason",
      "no event",
    );
    expect(skip.out).toBe(
      `Skipped. Next of its key is ${second} (order.created), with 0 events behind it.\n`,
    );
    await eventually(async () => expect(await mailsTo(place, email)).toHaveLength(1));
    const audit = await events("audit", "--service", "notification", "--limit", "1");
    expect(audit.out).toMatch(
      new RegExp(
        `\nnotification +\\S+Z +operator:operator +SkipDeadLetter +1 +{"eventId":"${first}"} +no event\n`,
      ),
    );
  });

  test("reads a part of a topic again, without changing anything unless it is told to", async () => {
    await put(1, orderCreated(orderId, email, "CLI-2"));
    await eventually(async () => expect(await mailsTo(place, email)).toHaveLength(1));

    const look = [
      "replay",
      "--topic",
      "order-events",
      "--service",
      "notification",
      "--since",
      "1h",
    ];
    await eventually(async () => {
      const { out, code } = await events(...look, "--key", orderId);
      expect(code).toBe(0);
      expect(out).toMatch(
        /^read +1 event of (\d:\d+-\d+ ?)+\ntaken before +1\nwould be applied +0\n/,
      );
      expect(out).toContain("Nothing was changed.");
    });
    const found = await json<{ readCount: string; knownCount: string }>(...look);
    expect(Number(found.readCount)).toBeGreaterThan(0);
  });

  test("prints one JSON document for all services", async () => {
    const { services } = await json<{ services: { service: string }[] }>("status");

    expect(services.map(({ service }) => service)).toEqual(["order", "payment", "notification"]);
  });

  test("tells what the services refuse, and ends with 1", async () => {
    const refused = await events(
      "dead",
      "skip",
      v7(),
      "--service",
      "order",
      "--reason",
      "a mistake",
    );

    expect(refused).toMatchObject({ code: 1, out: "" });
    expect(refused.error).toMatch(/^order: not_found: there is no dead letter \S+\n$/);
    expect((await events("dead", "show", v7())).code).toBe(1);
  });

  test("shows the other services where one does not answer", async () => {
    using folder = openFolder();
    const { stack } = place;
    const services = { ...stack.services, payment: { url: "http://127.0.0.1:1", pid: 0 } };
    writeFileSync(join(folder.path, "stack.json"), JSON.stringify({ ...stack, services }));

    const args = ["events", "status", "--json"];
    const { code, out, error } = await waybill(place, args, { WAYBILL_HOME: folder.path });

    expect(code).toBe(1);
    expect(error).toMatch(/^payment: unavailable: /);
    expect(JSON.parse(out)).toMatchObject({
      services: [{ service: "order" }, { service: "notification" }],
      errors: [{ service: "payment", code: "unavailable" }],
    });
  });

  test("asks a service at any address", async () => {
    const token = place.stack.tokens.operator;
    const { code, error } = await waybill(
      place,
      ["events", "status", "--address", "http://127.0.0.1:1", "--service", "order"],
      { WAYBILL_TOKEN: token },
    );
    expect(code).toBe(1);
    expect(error).toMatch(/^order: unavailable: .*127\.0\.0\.1:1/);

    const { url } = place.stack.services.payment;
    const at = await events("status", "--address", url, "--token", token);
    expect(at).toMatchObject({ code: 0, error: "" });
    expect(at.out).toMatch(/^payment\n/);
    const customer = await events("status", "--address", url, "--token", place.stack.tokens.alice);
    expect(customer.error).toMatch(/permission_denied: A customer may not call/);
  });

  test.each([
    ["an unknown command", ["dead", "burn"]],
    ["an unknown option", ["status", "--loud"]],
    ["a change without a service", ["dead", "skip", v7(), "--reason", "x"]],
    ["a change without a reason", ["dead", "skip", v7(), "--service", "order"]],
    [
      "a dry run of what has none",
      ["dead", "skip", v7(), "--service", "order", "--reason", "x", "--dry-run"],
    ],
    [
      "two targets at once",
      ["dead", "replay", v7(), "--since", "1h", "--service", "order", "--reason", "x"],
    ],
    [
      "half a key",
      ["parked", "release", "--topic", "order-events", "--service", "order", "--reason", "x"],
    ],
    ["an unknown service", ["status", "--service", "gateway"]],
    ["a time that is none", ["dead", "list", "--since", "yesterday"]],
    ["an address without a token", ["status", "--address", "http://127.0.0.1:1"]],
    ["more than it takes", ["keys", "all"]],
  ])("does not understand %s, and does nothing", async (_, args) => {
    vi.stubEnv("WAYBILL_HOME", place.home);

    await expect(runEvents(args)).rejects.toThrow(UsageError);
  });

  test("ends with 2 when it does not understand, and says how it is used", async () => {
    const { code, out, error } = await events("dead", "skip", v7(), "--service", "order");

    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(error).toMatch(/^--reason is missing\n\nwaybill events dead skip EVENT_ID --reason R\n/);
  });

  test("says how it is used", async () => {
    const { code, out } = await waybill(place, ["--help"]);

    expect(code).toBe(0);
    for (const name of [
      "status",
      "dead list",
      "dead replay",
      "keys",
      "parked release",
      "replay",
      "audit",
    ])
      expect(out).toContain(`\n  ${name}`);
    expect((await events("dead", "replay", "--help")).out).toContain(
      "waybill events dead replay (EVENT_ID |",
    );
  });
});
