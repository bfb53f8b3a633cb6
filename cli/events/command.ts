// What a command is, and how its services are asked.
import type { JsonValue, Message } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient, type Client } from "@connectrpc/connect";
import { codeToString } from "@connectrpc/connect/protocol-connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { EventAdminService } from "../../gen/waybill/event/v1/event_admin_service_pb.js";
import type { Target } from "../target.ts";
import { UsageError } from "../usage.ts";

/** An option that takes a text. */
export const string = { type: "string" } as const;

const CALL_LIMIT_MS = 15_000;

export type Values = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;

export interface Command {
  /** "dead list" */
  readonly name: string;
  /** What comes behind the name, for the usage. */
  readonly usage: string;
  readonly summary: string;
  /** What stands behind its name: "EVENT_ID". Default: nothing. */
  readonly operand?: string;
  /** Its own options, beside those that all have. */
  readonly options: Readonly<Record<string, { type: "string" | "boolean"; multiple?: boolean }>>;
  /** It changes something: it needs a service, and a reason. */
  readonly changes?: boolean;
  run(call: Call): Promise<Outcome>;
}

export interface Call {
  readonly targets: readonly Target[];
  readonly values: Values;
  /** What stands behind the command's name. */
  readonly operands: readonly string[];
}

export interface Outcome {
  readonly text: string;
  readonly json: JsonValue;
  /** Services that did not answer as they should: exit code 1. */
  readonly problems?: readonly Problem[];
}

export interface Problem {
  readonly service: string;
  readonly code: string;
  readonly message: string;
}

export type Admin = Client<typeof EventAdminService>;

/** `limitMs`: how long one call may take, in milliseconds. */
export const adminOf = ({ url, token }: Target, limitMs = CALL_LIMIT_MS): Admin =>
  createClient(
    EventAdminService,
    createConnectTransport({
      baseUrl: url,
      httpVersion: "1.1",
      defaultTimeoutMs: limitMs,
      interceptors: [
        (next) => (request) => {
          request.header.set("authorization", `Bearer ${token}`);
          return next(request);
        },
      ],
    }),
  );

/** Asks each service; one that fails does not keep the others from answering. */
export async function askAll<T>(
  targets: readonly Target[],
  ask: (admin: Admin, target: Target) => Promise<T>,
): Promise<{ readonly answers: { service: string; answer: T }[]; readonly problems: Problem[] }> {
  const answers: { service: string; answer: T }[] = [];
  const problems: Problem[] = [];
  await Promise.all(
    targets.map(async (target) => {
      try {
        answers.push({ service: target.service, answer: await ask(adminOf(target), target) });
      } catch (error) {
        problems.push(problemOf(target, error));
      }
    }),
  );
  const place = (service: string) => targets.findIndex((target) => target.service === service);
  return {
    answers: answers.toSorted((a, b) => place(a.service) - place(b.service)),
    problems: problems.toSorted((a, b) => place(a.service) - place(b.service)),
  };
}

export function problemOf({ service, url }: Target, error: unknown): Problem {
  const { code, rawMessage } = ConnectError.from(error);
  const unreachable = code === Code.Unavailable || code === Code.Internal;
  return {
    service,
    code: codeToString(code),
    message: unreachable ? `${rawMessage} (${url})` : rawMessage,
  };
}

export interface Page<Row> {
  readonly rows: readonly Row[];
  readonly nextPageToken: string;
}

/** All pages of a list, up to so many rows. */
export async function allPages<Row extends Message>(
  limit: number,
  ask: (pageToken: string, pageSize: number) => Promise<Page<Row>>,
): Promise<{ readonly rows: Row[]; readonly more: boolean }> {
  const rows: Row[] = [];
  for (let pageToken = ""; ;) {
    const page = await ask(pageToken, Math.min(limit - rows.length, 100));
    rows.push(...page.rows);
    pageToken = page.nextPageToken;
    if (pageToken === "" || rows.length >= limit) return { rows, more: pageToken !== "" };
  }
}

/** The value of an option that takes one; undefined: it was not given. */
export function text(values: Values, option: string): string | undefined {
  const value = values[option];
  return typeof value === "string" ? value : undefined;
}

/** Throws a UsageError where it was not given. */
export function required(values: Values, option: string): string {
  const value = text(values, option);
  if (value === undefined || value.trim() === "") throw new UsageError(`--${option} is missing`);
  return value;
}

/** The one operand of a command. Throws a UsageError. */
export function onlyOperand(operands: readonly string[], name: string): string {
  const [operand] = operands;
  if (operand === undefined) throw new UsageError(`${name} is missing`);
  return operand;
}

/** The one service of a command that changes something. */
export function onlyTarget(targets: readonly Target[]): Target {
  const [target, ...more] = targets;
  if (target === undefined || more.length > 0) throw new UsageError("--service is missing");
  return target;
}
