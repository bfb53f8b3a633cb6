// Checks that what is generated and committed is what would be generated now.
import { spawnSync } from "node:child_process";

const GENERATED = ["gen", "contract", "migrations", "third_party", "proto"];
const generated = spawnSync("npm", ["run", "--silent", "generate"], {
  stdio: ["ignore", "ignore", "inherit"],
});
const changed = spawnSync("git", ["status", "--porcelain", ...GENERATED], { encoding: "utf8" });
if (generated.status !== 0) console.error("`npm run generate` failed.");
if (changed.stdout !== "") {
  console.error(
    `These files are not what \`npm run generate\` makes. Run it, read the change, commit it:\n${changed.stdout}`,
  );
}
process.exitCode = generated.status === 0 && changed.status === 0 && changed.stdout === "" ? 0 : 1;
