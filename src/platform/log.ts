// One JSON line per thing worth knowing. Personal data and secrets never get here: log IDs, not people.
import { pino, type Logger } from "pino";

export type Log = Logger;

/** Fields that must never be printed, should they be logged by mistake. */
const secrets = [
  "authorization",
  "client_secret",
  "clientSecret",
  "email",
  "phoneNumber",
  "phone_number",
  "recipient",
];

export function createLog(service: string, level: string): Log {
  return pino({
    level,
    base: { service, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: {
      paths: secrets.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]),
      censor: "[redacted]",
    },
    serializers: { error: pino.stdSerializers.err },
    errorKey: "error",
  });
}
