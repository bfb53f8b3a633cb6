// Writes the SQL that brings each service's database to its schema.ts, where something is missing. Read it before you commit it.
import { spawnSync } from "node:child_process";

for (const service of ["order", "payment", "notification"]) {
  const { status } = spawnSync(
    "drizzle-kit",
    ["generate", "--dialect", "postgresql", "--schema", `./src/${service}/schema.ts`, "--out", `./migrations/${service}`, "--name", service],
    { stdio: ["ignore", "ignore", "inherit"] },
  );
  if (status !== 0) throw new Error(`drizzle-kit could not read src/${service}/schema.ts`);
}
