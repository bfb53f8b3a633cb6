// Reads compose.yaml, the one place that names the container images.
import { readFileSync } from "node:fs";

const FILE = new URL("../../compose.yaml", import.meta.url);

/** The image of a service in compose.yaml, such as "postgres:18". */
export function composeImage(service: "postgres" | "kafka"): string {
  const lines = readFileSync(FILE, "utf8").split("\n");
  const begin = lines.indexOf(`  ${service}:`);
  const found = lines.slice(begin + 1).find((line) => line.trimStart().startsWith("image:"));
  const image = found?.split("image:")[1]?.trim();
  if (begin < 0 || image === undefined) throw new Error(`compose.yaml has no image of ${service}.`);
  return image;
}
