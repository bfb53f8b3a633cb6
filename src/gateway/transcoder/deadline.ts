// How long a caller is willing to wait, from the three headers that are in use.
import { TranscoderError } from "./error.ts";

const GRPC_UNIT_MS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};

const READERS: readonly [header: string, read: (text: string) => number | undefined][] = [
  ["connect-timeout-ms", (text) => (/^\d{1,10}$/.test(text) ? Number(text) : undefined)],
  ["grpc-timeout", readGrpcTimeout],
  [
    "x-server-timeout",
    (text) => (/^\d{1,8}(\.\d{1,9})?$/.test(text) ? Number(text) * 1000 : undefined),
  ],
];

export interface DeadlineLimits {
  /** What a caller gets who names none, in milliseconds. */
  readonly defaultTimeoutMs?: number | undefined;
  /** The most that a caller gets, in milliseconds. */
  readonly maxTimeoutMs?: number | undefined;
}

/**
 * Milliseconds that are left: the shortest of Connect-Timeout-Ms, Grpc-Timeout and X-Server-Timeout (seconds), within
 * the limits; undefined when nobody named any.
 * @throws {TranscoderError} invalid_argument, when a header does not read.
 */
export function timeoutOf(headers: Headers, limits: DeadlineLimits): number | undefined {
  let shortest: number | undefined;
  for (const [name, read] of READERS) {
    const text = headers.get(name);
    if (text === null) continue;
    const milliseconds = read(text);
    if (milliseconds === undefined) {
      throw new TranscoderError("invalid_argument", `The header ${name} is not a timeout.`);
    }
    shortest = Math.min(shortest ?? Infinity, milliseconds);
  }
  const wanted = shortest ?? limits.defaultTimeoutMs;
  const cap = limits.maxTimeoutMs;
  if (wanted === undefined) return cap;
  return Math.floor(cap === undefined ? wanted : Math.min(wanted, cap));
}

function readGrpcTimeout(text: string): number | undefined {
  const unit = /^\d{1,8}[HMSmun]$/.test(text) ? GRPC_UNIT_MS[text.slice(-1)] : undefined;
  return unit === undefined ? undefined : Number(text.slice(0, -1)) * unit;
}
