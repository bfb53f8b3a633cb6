// Which services a command speaks to: those of the running stack, or one at a given address.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { UsageError } from "./usage.ts";

export const SERVICES = ["order", "payment", "notification"] as const;

export interface Target {
  /** The service's name, or its address where nobody said the name. */
  readonly service: string;
  readonly url: string;
  /** An operator's. */
  readonly token: string;
}

export interface TargetOptions {
  readonly service: string | undefined;
  readonly address: string | undefined;
  readonly token: string | undefined;
}

/** The part of stack.json that is read here. */
interface Stack {
  readonly services: Readonly<Record<(typeof SERVICES)[number], { readonly url: string }>>;
  readonly tokens: { readonly operator: string };
}

/** Throws a UsageError where it is not clear whom to ask, or with which token; an Error where no stack runs. */
export function targetsOf(o: TargetOptions): Target[] {
  const token = o.token ?? process.env["WAYBILL_TOKEN"];
  if (o.address !== undefined) {
    if (!URL.canParse(o.address))
      throw new UsageError(`--address ${o.address}: an address is http://host:port`);
    if (token === undefined)
      throw new UsageError("--address needs --token, or the token in WAYBILL_TOKEN");
    return [{ service: o.service ?? o.address, url: o.address, token }];
  }
  const wanted = SERVICES.filter((name) => o.service === undefined || name === o.service);
  if (wanted.length === 0)
    throw new UsageError(
      `--service ${o.service}: the services with events are ${SERVICES.join(", ")}`,
    );
  const stack = readStack();
  return wanted.map((service) => ({
    service,
    url: stack.services[service].url,
    token: token ?? stack.tokens.operator,
  }));
}

function readStack(): Stack {
  const home = process.env["WAYBILL_HOME"] || ".waybill";
  try {
    const stack: Stack = JSON.parse(readFileSync(join(home, "stack.json"), "utf8"));
    return stack;
  } catch {
    throw new Error(
      `no stack is running in ${home}/: start one with npm start, name its folder in WAYBILL_HOME, ` +
        "or give --address and --token",
    );
  }
}
