// npm test: every test against real servers; the last line says how many passed and failed.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { kafkaLacks, kafkaLibraries } from "../backends/kafka-jars.ts";
import { SetupProblem } from "../backends/problem.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const VITEST = join(ROOT, "node_modules", "vitest", "vitest.mjs");

/** What vitest's JSON reporter writes, as far as it is read here. */
interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  /** One per file; a file that could not be loaded is failed and holds no test. */
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly unknown[];
  }[];
}

/** Before the first test, so that no test's time goes into a download. */
async function fetchKafka(): Promise<void> {
  const docker = process.env["WAYBILL_BACKENDS"] === "docker";
  if (process.env["KAFKA_BROKERS"] || docker || kafkaLacks() !== undefined) return;
  await kafkaLibraries(console.log);
}

function runVitest(reportFile: string, args: readonly string[]): Promise<number> {
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${reportFile}`];
  const vitest = spawn(process.execPath, [VITEST, "run", ...reporters, ...args], {
    cwd: ROOT,
    stdio: "inherit",
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => vitest.kill(signal));
  }
  return new Promise((resolve, reject) => {
    vitest.once("error", reject).once("exit", (code) => resolve(code ?? 1));
  });
}

function readReport(file: string): { passed: number; failed: number } {
  if (!existsSync(file)) return { passed: 0, failed: 0 };
  const report: Report = JSON.parse(readFileSync(file, "utf8"));
  const broken = report.testResults.filter(
    (result) => result.status === "failed" && result.assertionResults.length === 0,
  );
  return { passed: report.numPassedTests, failed: report.numFailedTests + broken.length };
}

async function run(): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), "waybill-test-"));
  const reportFile = join(folder, "report.json");
  try {
    await fetchKafka();
    const code = await runVitest(reportFile, process.argv.slice(2));
    const { passed, failed } = readReport(reportFile);
    // An error outside any test fails the run as well.
    const total = code === 0 ? failed : Math.max(failed, 1);
    if (passed + failed === 0) console.error("No test ran.");
    console.log(`tests: ${passed} passed, ${total} failed`);
    return total === 0 && passed > 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

try {
  process.exitCode = (await run()) ? 0 : 1;
} catch (error) {
  console.error(error instanceof SetupProblem ? error.message : error);
  console.log("tests: 0 passed, 1 failed");
  process.exitCode = 1;
}
