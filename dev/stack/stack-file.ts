// stack.json: where everything of a running stack is, for people, demos and tests.
import { renameSync, writeFileSync } from "node:fs";
import type { Store } from "../backends/databases.ts";
import type { Tokens } from "./keys.ts";

/** In the order in which they are stopped. */
export const SERVICES = ["gateway", "order", "payment", "notification"] as const;
export type ServiceName = (typeof SERVICES)[number];

export interface StackFile {
  /** The public address, such as http://127.0.0.1:8080. */
  readonly gateway: string;
  readonly services: Readonly<Record<ServiceName, { readonly url: string; readonly pid: number }>>;
  /** The database of each service that has one. */
  readonly postgres: Readonly<Record<Store, string>>;
  /** `pid` is null when the broker is not ours. */
  readonly kafka: { readonly brokers: readonly string[]; readonly pid: number | null };
  /** null when all providers are the real ones. */
  readonly sandbox: { readonly url: string } | null;
  readonly tokens: Tokens;
}

/** By rename, so that a reader never sees half of it; for our eyes only, because it holds tokens and passwords. */
export function writeStackFile(path: string, stack: StackFile): void {
  const fresh = `${path}.new`;
  writeFileSync(fresh, `${JSON.stringify(stack, null, 2)}\n`, { mode: 0o600 });
  renameSync(fresh, path);
}
