// Starts the sandbox as a process: `node dev/sandbox/main.ts`.
import { startSandbox } from "./sandbox.ts";

const { SANDBOX_HOST, SANDBOX_PORT, SANDBOX_DATA, SANDBOX_WEBHOOK_URL, SANDBOX_WEBHOOK_SECRET } =
  process.env;
if (Boolean(SANDBOX_WEBHOOK_URL) !== Boolean(SANDBOX_WEBHOOK_SECRET)) {
  throw new Error(
    "SANDBOX_WEBHOOK_URL and SANDBOX_WEBHOOK_SECRET belong together: set both or none.",
  );
}
const webhook =
  SANDBOX_WEBHOOK_URL && SANDBOX_WEBHOOK_SECRET
    ? { webhook: { url: SANDBOX_WEBHOOK_URL, secret: SANDBOX_WEBHOOK_SECRET } }
    : {};
const sandbox = await startSandbox({
  host: SANDBOX_HOST || "127.0.0.1",
  port: Number(SANDBOX_PORT || "0"),
  dataDir: SANDBOX_DATA || ".waybill/sandbox",
  log: (line) => console.log(line),
  ...webhook,
});
console.log(`sandbox: ${sandbox.url}`);

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.once(signal, () => {
    sandbox[Symbol.asyncDispose]().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  });
}
