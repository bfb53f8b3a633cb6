// Starts the Payment service: settings, service, wait for the stop signal.
import { SettingsReader } from "../platform/config.ts";
import { createLog } from "../platform/log.ts";
import { runService } from "../platform/run.ts";
import { readPaymentConfig } from "./config.ts";
import { startPayment } from "./service.ts";

const read = new SettingsReader();
const log = createLog("payment", read.text("LOG_LEVEL", "", "info"));
await runService(log, async () => await startPayment(readPaymentConfig(read), log));
