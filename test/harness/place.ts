// Where a stack under test is, and whose keys it believes: all that a test needs to speak to it.
import type { StackFile } from "../../dev/stack/stack-file.ts";

export interface Place {
  /** As it was started: the addresses stay, the pids do not. */
  readonly stack: StackFile;
  /** The data folder. */
  readonly home: string;
  readonly namespace: string;
}

/** The servers that every stack of a run shares. */
export interface Servers {
  readonly postgresUrl: string;
  readonly brokers: string[];
  /** True where others look after them, so that what a stack made there has to be taken away. */
  readonly areGiven: boolean;
}

declare module "vitest" {
  interface ProvidedContext {
    readonly servers: Servers;
    readonly shared: Place;
    /** Where the shared stack is controlled: see control.ts. */
    readonly control: string;
  }
}

/** The address of the sandbox, which every stack under test has. */
export function sandboxUrl(place: Place): string {
  const { sandbox } = place.stack;
  if (sandbox === null) throw new Error("This stack has no sandbox: provider keys are set.");
  return sandbox.url;
}
