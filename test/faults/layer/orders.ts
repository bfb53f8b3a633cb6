// What a process of the proof is to do: which members it runs, what it writes, how rough its handlers are.
import type { Writing } from "./history.ts";

/** How the handlers of a process behave. */
export interface HandlerWeather {
  /** Whether they have the bugs that poison meets: one throws a TypeError, one ends the process. */
  readonly bugs?: boolean;
  /** After so many events they fail for a while, as they would without a database, and again after as many more. */
  readonly awayEvery: number;
  /** So many tries fail then. */
  readonly awayTries: number;
  /** The chance, from 0 to 1, that an event finds no ground when it comes first. */
  readonly notYet: number;
  /** Milliseconds, at most, that it takes. */
  readonly delayMs: number;
}

/** What a process does in one world. */
export interface Task {
  readonly databaseUrl: string;
  readonly brokers: readonly string[];
  readonly namespace: string;
  /** Each is a whole event layer, as a service has it; two of one name are replicas. */
  readonly members: readonly { readonly service: string; readonly consumes: boolean }[];
  readonly weather?: HandlerWeather;
  readonly writing?: Writing;
  readonly seed: number;
  /** Which copy of the event layer it runs, with what is planted into that; "" is the one as it is loaded plainly. */
  readonly variant: string;
}
