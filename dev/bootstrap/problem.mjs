// What the person at the keyboard can put right: told as it is, without a stack trace.

/** Its message says what is wrong and what to do about it. */
export class SetupProblem extends Error {}
