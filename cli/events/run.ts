// waybill events …: finds the command, reads its options, runs it, and prints what came of it.
import { parseArgs } from "node:util";
import { targetsOf } from "../target.ts";
import { UsageError } from "../usage.ts";
import { audit } from "./audit.ts";
import { onlyTarget, problemOf, type Call, type Command, type Outcome } from "./command.ts";
import { deadCommands } from "./dead.ts";
import { keys } from "./keys.ts";
import { parkedCommands } from "./parked.ts";
import { replay } from "./replay.ts";
import { status } from "./status.ts";

const COMMANDS = [status, ...deadCommands, keys, ...parkedCommands, replay, audit];

const COMMON_OPTIONS = {
  service: { type: "string" },
  address: { type: "string" },
  token: { type: "string" },
  json: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;
const CHANGE_OPTIONS = { reason: { type: "string" } } as const;

export interface Printed {
  readonly out: string;
  readonly error: string;
  readonly failed: boolean;
}

/** Throws a UsageError for what it does not understand. */
export async function runEvents(args: readonly string[]): Promise<Printed> {
  const command = COMMANDS.find(
    ({ name }) => name === args.slice(0, name.split(" ").length).join(" "),
  );
  if (command === undefined) {
    if (args.length === 0 || args.includes("--help") || args.includes("-h"))
      return printed(eventsUsage());
    throw new UsageError(`there is no "events ${args.join(" ")}"\n\n${eventsUsage()}`);
  }
  const { values, positionals } = parse(command, args.slice(command.name.split(" ").length));
  if (values["help"] === true) return printed(usageOf(command));
  if (positionals.length > (command.operand === undefined ? 0 : 1))
    throw new UsageError(`"${positionals.join(" ")}" is too much\n\n${usageOf(command)}`);
  const isAddressed = values["service"] !== undefined || values["address"] !== undefined;
  if (command.changes && !isAddressed)
    throw new UsageError(`--service is missing: which service's events?\n\n${usageOf(command)}`);
  const targets = targetsOf({
    service: values["service"],
    address: values["address"],
    token: values["token"],
  });
  const outcome = await run(command, { targets, values, operands: positionals });
  return print(outcome, values["json"] === true);
}

function parse(command: Command, args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        ...command.options,
        ...COMMON_OPTIONS,
        ...(command.changes ? CHANGE_OPTIONS : {}),
      },
      allowPositionals: true,
    });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new UsageError(`${message}\n\n${usageOf(command)}`, { cause: error });
  }
}

/** A change asks one service: its failure is the command's. */
async function run(command: Command, call: Call): Promise<Outcome> {
  try {
    return await command.run(call);
  } catch (error) {
    if (error instanceof UsageError)
      throw new UsageError(`${error.message}\n\n${usageOf(command)}`, { cause: error });
    if (!command.changes) throw error;
    return { text: "", json: {}, problems: [problemOf(onlyTarget(call.targets), error)] };
  }
}

function print({ text, json, problems = [] }: Outcome, asJson: boolean): Printed {
  const told = problems.map(({ service, code, message }) => `${service}: ${code}: ${message}`);
  const document = { ...(json as object), ...(problems.length > 0 && { errors: problems }) };
  return {
    out: asJson ? JSON.stringify(document, null, 2) : text,
    error: told.join("\n"),
    failed: problems.length > 0,
  };
}

const printed = (out: string): Printed => ({ out, error: "", failed: false });

const usageOf = ({ name, usage, summary }: Command): string =>
  `waybill events ${name} ${usage}\n    ${summary}\n\n${SHARED_USAGE}`;

const SHARED_USAGE = `All commands take:
    --service order|payment|notification   default: all of them; a change needs one
    --address URL --token T                a service that .waybill/stack.json does not know (or WAYBILL_TOKEN)
    --json                                 one JSON document instead of tables
Changes take --reason, which is kept for the audit. A TIME is 2026-01-31T12:00:00Z, or how long ago: 90s, 15m, 2h, 7d.`;

export const eventsUsage = (): string =>
  [
    "waybill events …",
    "",
    ...COMMANDS.map(
      ({ name, usage, summary }) => `  ${`${name} ${usage}`.trimEnd()}\n      ${summary}`,
    ),
    "",
    SHARED_USAGE,
  ].join("\n");
