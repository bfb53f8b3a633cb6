// One process of the stack: started, watched, brought back when it dies, stopped.
import { setTimeout as pause } from "node:timers/promises";
import { type Say, SetupProblem } from "../backends/problem.ts";
import {
  type Child,
  type ChildOptions,
  type Exit,
  lastLines,
  startChild,
} from "../process/child.ts";

const READY_WITHIN_MS = 60_000;
const READY_POLL_MS = 50;
const FIRST_RESTART_MS = 100;
const LAST_RESTART_MS = 5000;
/** Who lived as long as this is restarted quickly again. */
const HEALTHY_AFTER_MS = 10_000;
/** Deaths before a process was ever ready: then the start is given up. */
const DEATHS_AT_START = 3;
const LINES_SHOWN = 12;

export interface SupervisedOptions {
  readonly process: ChildOptions;
  readonly url: string;
  readonly serves: (url: string) => Promise<boolean>;
  /** Whether a process that dies is started again. */
  readonly restarts: boolean;
  readonly say: Say;
  /** Called when the process has another pid. */
  readonly onRestart: () => void;
}

/** The state of one process: whether it should run, and which incarnation does. */
export class Supervised {
  readonly url: string;
  readonly #options: SupervisedOptions;
  #child: Child | undefined;
  /** The generation that should run; a stop makes it stale, and with it any restart that still waits. */
  #generation = 0;
  #restartMs = FIRST_RESTART_MS;

  constructor(options: SupervisedOptions) {
    this.#options = options;
    this.url = options.url;
  }

  /** Of the running process, or of the last one. */
  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Starts it and waits until it serves. @throws SetupProblem with the end of its log when it does not */
  async start(): Promise<void> {
    if (this.#child?.running === true && (await this.#becomesReady(this.#child))) return;
    this.#generation += 1;
    const generation = this.#generation;
    const { restarts, process, say } = this.#options;
    const tries = restarts ? DEATHS_AT_START : 1;
    for (let death = 0; death < tries; death += 1) {
      const child = await this.#spawn(generation);
      if (child === undefined) return;
      if (await this.#becomesReady(child)) {
        this.#watch(child, generation);
        return;
      }
      const exit = await child.stop(0);
      if (generation !== this.#generation) return; // stopped meanwhile
      say(`${process.name} ${inWords(exit)} before it was ready`);
      await pause(FIRST_RESTART_MS);
    }
    const lines = await lastLines(process.logFile, LINES_SHOWN);
    throw new SetupProblem(
      `${process.name} does not start. The end of ${process.logFile}:\n${lines.join("\n")}`,
    );
  }

  /** Asks it to stop, kills it after so many milliseconds; it is not brought back. */
  async stop(withinMs: number): Promise<void> {
    this.#generation += 1;
    await this.#child?.stop(withinMs);
  }

  /** Sends a signal and, when that ends a process, waits for the end. A supervised one is then brought back. */
  async signal(signal: NodeJS.Signals): Promise<void> {
    this.#child?.kill(signal);
    if (["SIGKILL", "SIGTERM", "SIGINT"].includes(signal)) await this.#child?.exited;
  }

  /** undefined when a stop came meanwhile. */
  async #spawn(generation: number): Promise<Child | undefined> {
    const child = await startChild(this.#options.process);
    if (generation !== this.#generation) {
      await child.stop(0);
      return undefined;
    }
    this.#child = child;
    return child;
  }

  async #becomesReady(child: Child): Promise<boolean> {
    const deadline = Date.now() + READY_WITHIN_MS;
    while (child.running && Date.now() < deadline) {
      if (await this.#options.serves(this.url)) return true;
      await pause(READY_POLL_MS);
    }
    return false;
  }

  /** From now on its death is noticed. */
  #watch(child: Child, generation: number): void {
    const started = Date.now();
    void child.exited.then(async (exit) => {
      if (generation !== this.#generation) return;
      if (Date.now() - started > HEALTHY_AFTER_MS) this.#restartMs = FIRST_RESTART_MS;
      await this.#tellDeath(exit);
      if (this.#options.restarts) await this.#restart(generation);
    });
  }

  async #restart(generation: number): Promise<void> {
    const { process, say, onRestart } = this.#options;
    await pause(this.#restartMs);
    this.#restartMs = Math.min(this.#restartMs * 2, LAST_RESTART_MS);
    if (generation !== this.#generation) return;
    const began = Date.now();
    try {
      const child = await this.#spawn(generation);
      if (child === undefined) return;
      this.#watch(child, generation);
      onRestart();
      if (await this.#becomesReady(child)) {
        say(`${process.name} is back after ${((Date.now() - began) / 1000).toFixed(1)} s`);
      }
    } catch (error) {
      say(`${process.name} cannot be started: ${String(error)}`);
      await this.#restart(generation);
    }
  }

  async #tellDeath(exit: Exit): Promise<void> {
    const { process, say, restarts } = this.#options;
    const next = restarts ? `; restarting in ${this.#restartMs} ms` : "";
    const lines = exit.signal === "SIGKILL" ? [] : await lastLines(process.logFile, LINES_SHOWN);
    say(
      [`${process.name} ${inWords(exit)}${next}`, ...lines.map((line) => `    ${line}`)].join("\n"),
    );
  }
}

function inWords(exit: Exit): string {
  return exit.signal === null
    ? `ended with code ${exit.code ?? "?"}`
    : `was ended by ${exit.signal}`;
}
