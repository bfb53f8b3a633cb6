// Runs faults one after the other on one rig; after one that failed, the next gets a new rig.
import { cpSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Say } from "../../dev/backends/problem.ts";
import { findingsOf, isGreen, type Fault, type FaultResult } from "./fault.ts";
import { randomOf } from "./random.ts";
import { openRig, type Rig } from "./rig.ts";

export interface FaultRun {
  readonly id: string;
  readonly title: string;
  readonly rate: number;
  readonly seconds: number;
  readonly passed: boolean;
  /** Undefined: it broke before there was anything to judge; `broken` says how. */
  readonly result?: FaultResult;
  readonly broken?: string;
}

export interface Suite extends AsyncDisposable {
  run(fault: Fault): Promise<FaultRun>;
}

export interface SuiteSettings {
  readonly seconds: number;
  readonly rate: number;
  readonly count: number;
  readonly seed: number;
  readonly say: Say;
}

export function openSuite(o: SuiteSettings): Suite {
  let rig: Rig | undefined;
  const drop = async (): Promise<void> => {
    const old = rig;
    rig = undefined;
    await old?.[Symbol.asyncDispose]();
  };
  return {
    async run(fault) {
      const { id, title } = fault;
      const { seconds, rate, count } = o;
      const say: Say = (line) => o.say(`${id} ${line}`);
      const random = randomOf(o.seed).branch(id);
      rig ??= await openRig({ say });
      say(`${title}: ${seconds} s at ${rate} orders/s`);
      try {
        const result = await fault.run(rig, { seconds, rate, count, random, say });
        const passed = isGreen(result);
        if (!passed) {
          for (const finding of findingsOf(result)) say(finding); // now: a run may not live to its report
          keepLogs(rig, say);
        }
        if (!passed) await drop();
        return { id, title, rate, seconds, passed, result };
      } catch (error) {
        keepLogs(rig, say);
        await drop();
        const broken = error instanceof Error ? (error.stack ?? error.message) : String(error);
        return { id, title, rate, seconds, passed: false, broken };
      }
    },
    [Symbol.asyncDispose]: drop,
  };
}

/** What the services logged outlives the rig when there is something to be found out. */
function keepLogs(rig: Rig, say: Say): void {
  const kept = mkdtempSync(join(tmpdir(), "waybill-faults-logs-"));
  cpSync(rig.stack.home.logs, kept, { recursive: true });
  say(`failed; the logs of the services are kept in ${kept}`);
}
