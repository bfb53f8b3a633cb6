// Starts the gateway: settings, service, wait for the stop signal.
import { SettingsReader } from "../platform/config.ts";
import { createLog } from "../platform/log.ts";
import { runService } from "../platform/run.ts";
import { readGatewayConfig } from "./config.ts";
import { startGateway } from "./service.ts";

const read = new SettingsReader();
const log = createLog("gateway", read.text("LOG_LEVEL", "", "info"));
await runService(log, async () => await startGateway(readGatewayConfig(read), log));
