// Loaded into each service before its own code (node --import): SIGUSR2 begins a CPU profile, and the next one ends it.
import { writeFile, rename } from "node:fs/promises";
import { Session } from "node:inspector/promises";
import { join } from "node:path";

/** The environment variable that names the folder for <pid>.cpuprofile. */
export const PROFILE_FOLDER_SETTING = "WAYBILL_PROFILE_FOLDER";
/** How often the stack is looked at, in microseconds. */
const SAMPLING_INTERVAL_US = 500;

let session: Session | undefined;

async function begin(): Promise<Session> {
  const begun = new Session();
  begun.connect();
  await begun.post("Profiler.enable");
  await begun.post("Profiler.setSamplingInterval", { interval: SAMPLING_INTERVAL_US });
  await begun.post("Profiler.start");
  return begun;
}

/** By rename, so that a reader never sees half of it. */
async function end(running: Session, folder: string): Promise<void> {
  const { profile } = await running.post("Profiler.stop");
  running.disconnect();
  const file = join(folder, `${process.pid}.cpuprofile`);
  await writeFile(`${file}.new`, JSON.stringify(profile));
  await rename(`${file}.new`, file);
}

/** An error of the profiler ends the process, and with it the benchmark: half a profile says nothing. */
async function toggle(folder: string): Promise<void> {
  const running = session;
  session = undefined;
  if (running === undefined) session = await begin();
  else await end(running, folder);
}

const folder = process.env[PROFILE_FOLDER_SETTING];
if (folder !== undefined) {
  process.on("SIGUSR2", () => void toggle(folder));
}
