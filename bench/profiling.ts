// Takes the CPU profiles of the services that an order's POST passes through, while orders come in.
import type { Arena } from "./arena.ts";
import { type LoadResult, sendLoad } from "./load.ts";
import type { ProfileSummary } from "./profile.ts";
import { profileStack } from "./stack-profiles.ts";

const CONNECTIONS = 32;

export interface ProfileResult {
  /** Slower than without the profiler: its own figures do not count. */
  readonly load: LoadResult;
  readonly processes: readonly ProfileSummary[];
}

/** `keep`: the folder in which the raw profiles are kept, if any. */
export async function takeProfiles(
  arena: Arena,
  seconds: number,
  keep: string | undefined,
): Promise<ProfileResult> {
  const { result: load, processes } = await profileStack(
    arena.stack,
    { folder: arena.profiles, keep },
    () => sendLoad({ ...arena, connections: CONNECTIONS, until: { seconds } }),
  );
  return { load, processes };
}
