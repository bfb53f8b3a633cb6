import { defineConfig } from "vitest/config";

// unit: rules beside their files, no network, no clock, no database.
// system: one file per promise, against real PostgreSQL, real Kafka and the services as processes.
const unit = { name: "unit", include: ["src/**/*.test.ts", "dev/**/*.test.ts"] };
const system = {
  name: "system",
  include: ["test/**/*.test.ts"],
  globalSetup: ["test/harness/global-setup.ts"],
  fileParallelism: false,
  testTimeout: 60_000,
  hookTimeout: 120_000,
};
export default defineConfig({ test: { projects: [{ test: unit }, { test: system }] } });
