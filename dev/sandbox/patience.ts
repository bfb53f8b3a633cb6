// How long the sandbox's tests wait: a crowded machine may take long, and a test that hangs still ends.
import { vi } from "vitest";

const TEST_TIMEOUT_MS = 30_000;
vi.setConfig({ testTimeout: TEST_TIMEOUT_MS });

/** For `vi.waitFor`, in milliseconds. */
export const LIMIT = { timeout: 20_000, interval: 10 };
