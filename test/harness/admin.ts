// The operator at a service's own port, and at the command line.
import { execFile } from "node:child_process";
import { createClient, type Client } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { EventAdminService } from "../../gen/waybill/event/v1/event_admin_service_pb.js";
import type { Place } from "./place.ts";

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
