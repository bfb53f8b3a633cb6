// A client in another language's hands: `buf curl`, which learns the schema from the service itself.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const BUF = fileURLToPath(new URL("../../node_modules/.bin/buf", import.meta.url));
const ANSWER_WITHIN_MS = 15_000;

/** What it prints. @throws with what it complains of when the call fails */
export async function bufCurl(args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(BUF, ["curl", ...args], {
    timeout: ANSWER_WITHIN_MS,
  });
  return stdout;
}
