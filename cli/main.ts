// npm run waybill -- …: a client of the services' RPCs for operators.
import { eventsUsage, runEvents } from "./events/run.ts";
import { UsageError } from "./usage.ts";

const WRONG_USAGE = 2;

async function main([area, ...args]: readonly string[]): Promise<number> {
  if (area === undefined || area === "--help" || area === "-h" || area === "help") {
    console.log(eventsUsage());
    return area === undefined ? WRONG_USAGE : 0;
  }
  if (area !== "events") throw new UsageError(`there is no "${area}"\n\n${eventsUsage()}`);
  const { out, error, failed } = await runEvents(args);
  if (out !== "") console.log(out);
  if (error !== "") console.error(error);
  return failed ? 1 : 0;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = error instanceof UsageError ? WRONG_USAGE : 1;
}
