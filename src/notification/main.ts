// Starts the Notification service: settings, service, wait for the stop signal.
import { SettingsReader } from "../platform/config.ts";
import { createLog } from "../platform/log.ts";
import { runService } from "../platform/run.ts";
import { readNotificationConfig } from "./config.ts";
import { startNotification } from "./service.ts";

const read = new SettingsReader();
const log = createLog("notification", read.text("LOG_LEVEL", "", "info"));
await runService(log, async () => await startNotification(readNotificationConfig(read), log));
