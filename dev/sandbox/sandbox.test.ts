// The sandbox as a whole: what it remembers, what it shows, what it refuses.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Stripe } from "stripe";
import { expect, it } from "vitest";
import { startSandbox } from "./sandbox.ts";
import "./patience.ts";
import { openFolder, openSandbox } from "./with-sandbox.ts";

const paid = {
  amount: 1999,
  currency: "eur",
  automatic_payment_methods: { enabled: true, allow_redirects: "never" },
  payment_method: "pm_card_visa",
  confirm: true,
} as const;
const key = { idempotencyKey: "pa_1" };
const mail = {
  from: "a@waybill.example",
  to: ["b@example.com", "c@example.com"],
  subject: "S",
  text: "T",
};

/** The sandbox as a process of its own, killed when it is disposed of. */
async function spawnSandbox(dataDir: string) {
  const child = spawn(process.execPath, [join(import.meta.dirname, "main.ts")], {
    env: { SANDBOX_PORT: "0", SANDBOX_DATA: dataDir },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exit = once(child, "exit");
  const lines = createInterface({ input: child.stdout });
  const [line] = (await once(lines, "line")) as [string];
  const { hostname, port } = new URL(line.replace("sandbox: ", ""));
  return {
    stripe: new Stripe("sk_test_1", { host: hostname, port, protocol: "http", telemetry: false }),
    async stop(signal: "SIGTERM" | "SIGKILL"): Promise<unknown> {
      child.kill(signal);
      return (await exit)[0];
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await exit;
    },
  };
}

it(
  "remembers everything over a kill -9, and ends with 0 on SIGTERM",
  { timeout: 30_000 },
  async () => {
    await using folder = await openFolder();
    await using first = await spawnSandbox(folder.path);
    const payment = await first.stripe.paymentIntents.create(paid, key);
    await first.stop("SIGKILL");
    await appendFile(join(folder.path, "journal.jsonl"), '[["payment_intent","pi_torn"');

    await using second = await spawnSandbox(folder.path);
    const replayed = await second.stripe.paymentIntents.create(paid, key);
    const { data } = await second.stripe.events.list();

    expect(replayed.id).toBe(payment.id);
    expect(replayed.lastResponse.headers["idempotent-replayed"]).toBe("true");
    expect(data).toHaveLength(3);
    expect(await second.stop("SIGTERM")).toBe(0);
  },
);

it("remembers mails and their keys over a restart, in a journal no longer than needed", async () => {
  await using folder = await openFolder();
  const ids: (string | undefined)[] = [];
  for (let start = 0; start < 3; start += 1) {
    await using sandbox = await openSandbox({ dataDir: folder.path });
    ids.push((await sandbox.resend.emails.send(mail, key)).data?.id);
  }

  await using sandbox = await openSandbox({ dataDir: folder.path });

  expect(new Set(ids).size).toBe(1);
  expect(await sandbox.get("/_/inbox")).toMatchObject({ emails: [{ to: mail.to }] });
  const journal = await readFile(join(folder.path, "journal.jsonl"), "utf8");
  expect(journal.trim().split("\n")).toHaveLength(2);
});

it("shows the inbox as a page on which a mail can do no harm", async () => {
  await using sandbox = await openSandbox();
  await sandbox.resend.emails.send({
    ...mail,
    subject: "<script>alert(1)</script>",
    html: '"><b>',
  });

  const page = await (await fetch(sandbox.url)).text();

  expect(page).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
  expect(page).not.toContain("<script>");
  expect(page).toContain('srcdoc="&quot;&gt;&lt;b&gt;"');
});

it.each(["0.0.0.0", "::", "192.168.0.1", "example.com"])(
  "refuses to listen on %s",
  async (host) => {
    await using folder = await openFolder();

    await expect(startSandbox({ host, port: 0, dataDir: folder.path })).rejects.toThrow(
      "loopback only",
    );
  },
);

it("refuses to send webhooks anywhere else", async () => {
  await using folder = await openFolder();
  const webhook = { url: "https://example.com/hook", secret: "whsec_1" };

  await expect(
    startSandbox({ host: "127.0.0.1", port: 0, dataDir: folder.path, webhook }),
  ).rejects.toThrow("loopback only");
});

it("takes only faults that it knows, and forgets them when told", async () => {
  await using sandbox = await openSandbox();

  const unknown = await sandbox.post("/_/faults", { provider: "stripe", fault: "explode" });
  await sandbox.post("/_/faults", { provider: "stripe", fault: "drop", count: 9 });
  await fetch(`${sandbox.url}/_/faults`, { method: "DELETE" });

  expect(unknown.status).toBe(400);
  expect(await sandbox.get("/_/faults")).toEqual({ faults: [] });
});
