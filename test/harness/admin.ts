// The operator at a service's own port, and at the command line.
import { execFile } from "node:child_process";
import { Code, ConnectError, createClient, type Client } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import type { Store } from "../../dev/backends/databases.ts";
import type { DeadLetter } from "../../gen/waybill/event/v1/event_admin_pb.js";
import { EventAdminService } from "../../gen/waybill/event/v1/event_admin_service_pb.js";
import { eventually } from "./eventually.ts";
import type { Place } from "./place.ts";
import { query } from "./rows.ts";

export function adminAt(
  place: Place,
  service: "order" | "payment" | "notification",
): Client<typeof EventAdminService> {
  return createClient(
    EventAdminService,
    createConnectTransport({
      baseUrl: place.stack.services[service].url,
      httpVersion: "1.1",
      interceptors: [
        (next) => (request) => {
          request.header.set("authorization", `Bearer ${place.stack.tokens.operator}`);
          return next(request);
        },
      ],
    }),
  );
}

type Admin = ReturnType<typeof adminAt>;

export const deadLettersOf = async (admin: Admin, key: string): Promise<DeadLetter[]> =>
  (await admin.listDeadLetters({ key })).deadLetters;

/** Waits until the event is dead. */
export const dies = (admin: Admin, key: string, eventId: string): Promise<DeadLetter> =>
  eventually(async () => {
    const dead = (await deadLettersOf(admin, key)).find((letter) => letter.eventId === eventId);
    if (dead === undefined) throw new Error(`${eventId} is not dead yet`);
    return dead;
  });

/** The IDs of the events of the key that are held, in their order. */
export async function heldOf(place: Place, store: Store, key: string): Promise<string[]> {
  const text = "select event_id from held_event where key = $1 order by id";
  const rows = await query<{ event_id: string }>(place, store, text, [key]);
  return rows.map((row) => row.event_id);
}

/** "Ok", or the name of the code that the call ends with: "NotFound". */
export async function codeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return "Ok";
  } catch (error) {
    return Code[ConnectError.from(error).code];
  }
}

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

/** Runs `waybill …` as a process, against the stack unless the environment says otherwise. */
export function waybill(
  place: Place,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ["cli/main.ts", ...args],
      { env: { ...process.env, WAYBILL_HOME: place.home, ...env } },
      (error, out, stderr) => {
        const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
        resolve({ code, out, error: stderr });
      },
    );
  });
}
