// Starts the Order service: settings, service, wait for the stop signal.
import { SettingsReader } from "../platform/config.ts";
import { createLog } from "../platform/log.ts";
import { runService } from "../platform/run.ts";
import { readOrderConfig } from "./config.ts";
import { startOrder } from "./service.ts";

const read = new SettingsReader();
const log = createLog("order", read.text("LOG_LEVEL", "", "info"));
await runService(log, async () => await startOrder(readOrderConfig(read), log));
