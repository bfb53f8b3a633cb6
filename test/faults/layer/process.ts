// Starts processes of the proof, with what is planted into them.
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { plainEnvironment, startChild, type Child } from "../../../dev/process/child.ts";
import { planted, type PlantOrders } from "../plant/orders.ts";
import type { Task } from "./orders.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
/** Before the servers that it uses. */
const RANK = 1;
/** Starting is most of what a short-lived process does. */
const COMPILED = join(tmpdir(), "waybill-faults-compiled");

export interface LayerProcess {
  /** Its log and its pid file are named so; in this folder. */
  readonly name: string;
  readonly folder: string;
  readonly tasks: readonly Task[];
  readonly plants?: PlantOrders | undefined;
}

export const startLayer = (o: LayerProcess): Promise<Child> =>
  startChild({
    name: o.name,
    command: process.execPath,
    args: ["test/faults/layer/main.ts", JSON.stringify(o.tasks)],
    cwd: ROOT,
    env: {
      ...plainEnvironment(),
      NODE_COMPILE_CACHE: COMPILED,
      ...(o.plants && planted(o.plants)),
    },
    logFile: join(o.folder, `${o.name}.log`),
    pidFile: join(o.folder, `${o.name}.pid`),
    rank: RANK,
  });
