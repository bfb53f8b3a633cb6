// Checks the walls between the rooms (.dependency-cruiser.mjs), and that the checker saw any rooms at all.
import { spawnSync } from "node:child_process";

const ROOMS = ["src", "dev", "cli", "test", "bench"];
const { stdout, stderr, status } = spawnSync(
  "depcruise",
  ["--config", ".dependency-cruiser.mjs", ...ROOMS],
  {
    encoding: "utf8",
  },
);
process.stdout.write(stdout);
process.stderr.write(stderr);
const modules = Number(/\((\d+) modules/.exec(stdout)?.[1] ?? 0);
if (modules === 0) {
  console.error(
    "The walls were not checked: dependency-cruiser saw no module. Does it read this version of TypeScript?",
  );
}
process.exitCode = status !== 0 || modules === 0 ? 1 : 0;
