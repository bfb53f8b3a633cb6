// One JSON line per thing worth knowing. Personal data and secrets never get here: log IDs, not people.
import { pino, type DestinationStream, type Logger } from "pino";
import { scrubbed } from "./log-scrub.ts";
import { currentTrace } from "./trace.ts";

export type Log = Logger;

/** Fields that must never be printed, should they be logged by mistake, without underscores and in lower case. */
const SECRETS = new Set([
  "apikey",
  "authorization",
  "authtoken",
  "clientsecret",
  "cookie",
  "email",
  "password",
  "phonenumber",
  "recipient",
  "secret",
  "secretkey",
  "stripesignature",
  "token",
]);

/** Writes to standard output unless told otherwise. */
export function createLog(
  service: string,
  level: string,
  out: DestinationStream = pino.destination(1),
): Log {
  return pino(
    {
      level,
      base: { service, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      // In every line of a trace, so that one can follow an order through the services; what a line says itself wins.
      mixin: () => ({ ...currentTrace() }),
      formatters: { level: (label) => ({ level: label }), log: (fields) => withoutSecrets(fields) },
      serializers: { error: (error: unknown) => loggable(error) },
      errorKey: "error",
      // Whatever a line holds, a text within a message or a stack, too.
      hooks: { streamWrite: scrubbed },
    },
    out,
  );
}

/** The deepest that an object is written, and searched for secrets. */
const DEPTH_LIMIT = 4;

/** pino's own redaction by wildcards costs more than 100 µs a line, this less than one. */
function withoutSecrets(fields: object, depth = DEPTH_LIMIT): Record<string, unknown> {
  const written: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    written[name] = isSecret(name) ? "[redacted]" : searched(value, depth);
  }
  return written;
}

const isSecret = (name: string): boolean => SECRETS.has(name.replaceAll(/[_-]/g, "").toLowerCase());

function searched(value: unknown, depth: number): unknown {
  if (!Array.isArray(value) && !isPlain(value)) return value;
  if (depth === 0) return "[deeper]";
  if (!Array.isArray(value)) return withoutSecrets(value, depth - 1);
  return value.map((item: unknown) => searched(item, depth - 1));
}

const isPlain = (value: unknown): value is object =>
  typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;

/** The deepest chain of causes that is written. */
const CAUSE_LIMIT = 5;

/**
 * What of an error may be written: its name, message, code, stack and causes, and none of its other fields. A failed query's
 * message repeats its parameters, which are names, addresses and secrets: of it, only the statement is written.
 */
function loggable(error: unknown, depth = CAUSE_LIMIT): unknown {
  if (!(error instanceof Error)) return error;
  const isQuery = "query" in error && "params" in error;
  const code = "code" in error ? error.code : undefined;
  return {
    type: error.name,
    message: isQuery ? `failed query: ${String(error.query)}` : error.message,
    ...(code !== undefined && { code }),
    ...(!isQuery && { stack: error.stack }),
    ...(error.cause !== undefined && depth > 0 && { cause: loggable(error.cause, depth - 1) }),
  };
}
