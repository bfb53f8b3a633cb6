// Runs work that is due, again and again: at once when woken, else by a poll that slows down while there is none.
import { newId } from "./id.ts";
import type { Log } from "./log.ts";
import { childTraceparent, runInTrace } from "./trace.ts";
import { isTransient } from "./transient.ts";

export interface Worker extends AsyncDisposable {
  /** There is work: do not wait for the next poll. */
  wake(): void;
}

export interface WorkerOptions {
  readonly name: string;
  readonly log: Log;
  /** The poll's shortest and longest wait, in milliseconds. */
  readonly minPollMs: number;
  readonly maxPollMs: number;
  /** Does what is due now and says how much it was; it is called again at once while that is not 0. */
  readonly run: () => Promise<number>;
}

const JITTER = 0.2;

/** Starts a worker. An error does not end it: the work stays due, and is tried again after the longest wait. */
export function startWorker(options: WorkerOptions): Worker {
  const { log, minPollMs, maxPollMs } = options;
  let stopped = false;
  let woken = false;
  let interrupt: (() => void) | undefined;

  const wait = async (ms: number): Promise<void> => {
    if (woken || stopped) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms * (1 + JITTER * (Math.random() - 0.5)));
    interrupt = resolve;
    await promise;
    clearTimeout(timer);
    interrupt = undefined;
  };

  const attempt = async (): Promise<number | "failed"> => {
    try {
      // Nobody asked for this work now, so it begins a trace of its own.
      return await runInTrace(
        { traceparent: childTraceparent(undefined), requestId: newId() },
        options.run,
      );
    } catch (error) {
      if (isTransient(error)) log.warn({ worker: options.name, error }, "will be tried again");
      else log.error({ worker: options.name, error }, "a worker failed; will be tried again");
      return "failed";
    }
  };

  const loop = async (): Promise<void> => {
    let pollMs = minPollMs;
    while (!stopped) {
      woken = false;
      const done = await attempt();
      if (done === "failed") pollMs = maxPollMs;
      else pollMs = done > 0 ? minPollMs : Math.min(pollMs * 2, maxPollMs);
      if (done === "failed" || done === 0) await wait(pollMs);
    }
  };
  const ended = loop();

  return {
    wake: () => {
      woken = true;
      interrupt?.();
    },
    [Symbol.asyncDispose]: async () => {
      stopped = true;
      interrupt?.();
      await ended;
    },
  };
}
