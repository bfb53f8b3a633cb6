// Processes that are brought back whenever they die, until they are ended.
import { setTimeout as pause } from "node:timers/promises";
import type { Child } from "../../../dev/process/child.ts";
import type { PlantOrders } from "../plant/orders.ts";
import type { Task } from "./orders.ts";
import { startLayer } from "./process.ts";

/** One that dies at its start is not brought back more often. */
const AGAIN_AFTER_MS = 50;

export interface Lives extends AsyncDisposable {
  /** Starts it, and starts it again after each death. */
  live(name: string, tasks: readonly Task[], plants?: PlantOrders): void;
  /** It dies at once and stays dead; or, with a limit in milliseconds, it is asked to stop and given so long. */
  end(name: string, withinMs?: number): Promise<void>;
  /** How often one died that nobody had ended. */
  deaths(): number;
}

/** Logs and pid files are in the folder. */
export function openLives(folder: string): Lives {
  const running = new Map<string, Child>();
  const ended = new Set<string>();
  const lives = new Map<string, Promise<void>>();
  let deaths = 0;

  const keepAlive = async (name: string, tasks: readonly Task[], plants?: PlantOrders) => {
    while (!ended.has(name)) {
      const child = await startLayer({ name, folder, tasks, plants });
      running.set(name, child);
      if (ended.has(name)) child.kill("SIGKILL");
      await child.exited;
      if (ended.has(name)) return;
      deaths += 1;
      await pause(AGAIN_AFTER_MS);
    }
  };
  const end = async (name: string, withinMs = 0): Promise<void> => {
    ended.add(name);
    await running.get(name)?.stop(withinMs);
    await lives.get(name);
  };
  return {
    live: (name, tasks, plants) => void lives.set(name, keepAlive(name, tasks, plants)),
    end,
    deaths: () => deaths,
    async [Symbol.asyncDispose]() {
      await Promise.all([...lives.keys()].map((name) => end(name)));
    },
  };
}
