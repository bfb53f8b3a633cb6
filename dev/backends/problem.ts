// What the person at the keyboard can put right: told as it is, without a stack trace.

/** Its message says what is wrong and what to do about it. */
export class SetupProblem extends Error {
  override readonly name = "SetupProblem";
}

/** One line of progress for the person who waits. */
export type Say = (line: string) => void;
