// What a process of the proof is to do: which members it runs, what it writes, how rough its handlers are.
import type { Writing } from "./history.ts";

/** How a handler behaves, in chances from 0 to 1 per event. */
export interface HandlerWeather {
  /** It fails as it would without a database. */
  readonly transient: number;
  /** It finds no ground yet. */
  readonly notYet: number;
  /** Milliseconds, at most, that it takes. */
  readonly delayMs: number;
}

export interface LayerOrders {
  readonly databaseUrl: string;
  readonly brokers: readonly string[];
  readonly namespace: string;
  /** Each is a whole event layer, as a service has it; two of one name are replicas. */
  readonly members: readonly { readonly service: string; readonly consumes: boolean }[];
  readonly weather?: HandlerWeather;
  readonly writing?: Writing;
  readonly seed: number;
}
