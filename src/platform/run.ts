// What every main.ts does: read the settings, start, wait for the stop signal or for a part that dies, close, say how it ended.
import { SettingsError } from "./config.ts";
import type { Log } from "./log.ts";

/** A started service: `failed` rejects when a part of it dies and cannot go on. */
export interface RunningService extends AsyncDisposable {
  readonly url: string;
  readonly failed: Promise<never>;
}

/** The longest that closing may take, in milliseconds; then the process ends all the same. */
const CLOSE_LIMIT_MS = 12_000;

/** Runs a service until SIGTERM or SIGINT: exit code 0. Where it cannot start, or a part dies: 1, and the log says why. */
export async function runService(log: Log, start: () => Promise<RunningService>): Promise<void> {
  const stop = Promise.withResolvers<string>();
  process.once("SIGTERM", stop.resolve);
  process.once("SIGINT", stop.resolve);
  try {
    await using service = await start();
    log.info({ url: service.url }, "ready");
    const signal = await Promise.race([stop.promise, service.failed]);
    log.info({ signal }, "stopping");
    setTimeout(() => {
      log.error("closing took too long");
      process.exit(1);
    }, CLOSE_LIMIT_MS).unref();
  } catch (error) {
    if (error instanceof SettingsError) log.fatal(error.message);
    else log.fatal({ error }, "cannot go on");
    process.exitCode = 1;
  }
  log.info("stopped");
  // Whatever still keeps the process alive has been closed or given up.
  process.exit();
}
