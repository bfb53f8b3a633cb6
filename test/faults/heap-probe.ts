// Loaded into each service before its own code (node --import): at SIGUSR2 it collects garbage and writes down what is left of the heap.
import { writeFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** The environment variable that names the folder for <pid>.heap. */
export const HEAP_FOLDER_SETTING = "WAYBILL_HEAP_FOLDER";

const folder = process.env[HEAP_FOLDER_SETTING];
if (folder !== undefined) {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const file = join(folder, `${process.pid}.heap`);
  process.on("SIGUSR2", () => {
    collect();
    const text = String(process.memoryUsage().heapUsed);
    void writeFile(`${file}.new`, text).then(() => rename(`${file}.new`, file));
  });
}
