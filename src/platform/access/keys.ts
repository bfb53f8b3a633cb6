// Where public keys come from: a JWKS in a file, read again when it changes, or at a URL.
import { readFile, stat } from "node:fs/promises";
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  type JSONWebKeySet,
  type JWTVerifyGetKey,
} from "jose";

/** How old a look at the file's date may be, in milliseconds, before it is looked at again. */
const FILE_CHECK_MS = 1_000;
/** The longest that fetching a JWKS from its URL may take, in milliseconds. */
const FETCH_TIMEOUT_MS = 3_000;
/** How long a fetched JWKS is used, in milliseconds. */
const FETCH_AGE_MS = 600_000;
/** The least time between two fetches for the sake of an unknown key, in milliseconds. */
const FETCH_COOLDOWN_MS = 10_000;

/** The keys cannot be had at present: the caller may try again, its token may be perfectly good. */
export class KeysUnavailable extends Error {
  override readonly name = "KeysUnavailable";
  readonly code = "ERR_KEYS_UNAVAILABLE";
}

/** The keys that signatures are checked against. */
export interface PublicKeys {
  /** Brings the keys up to date; tells whether they were replaced, so that what was verified with the old ones is forgotten. */
  refresh(): Promise<boolean>;
  readonly find: JWTVerifyGetKey;
}

/** Opens a JWKS by a file's path or an http(s) URL. Throws where the file cannot be read or holds no JWKS. */
export async function openKeys(source: string): Promise<PublicKeys> {
  return /^https?:\/\//.test(source) ? keysAt(new URL(source)) : await keysIn(source);
}

async function keysIn(path: string): Promise<PublicKeys> {
  const read = async () => {
    const { mtimeMs, size } = await stat(path);
    return { stamp: `${mtimeMs} ${size}`, checkedAt: Date.now() };
  };
  const load = async () =>
    createLocalJWKSet(JSON.parse(await readFile(path, "utf8")) as JSONWebKeySet);
  let seen = await read();
  let keys = await load();
  return {
    async refresh() {
      if (Date.now() - seen.checkedAt < FILE_CHECK_MS) return false;
      try {
        const now = await read();
        const changed = now.stamp !== seen.stamp;
        // Only after a good read is the new date believed: a file caught half-written is read again at the next call.
        if (changed) keys = await load();
        seen = now;
        return changed;
      } catch (error) {
        throw new KeysUnavailable(`The keys in ${path} cannot be had.`, { cause: error });
      }
    },
    find: (header, token) => keys(header, token),
  };
}

/** jose's own words for a set of keys that cannot be fetched or read; an unknown kid is not one of them. */
const unreachable = (error: unknown): boolean =>
  !(error instanceof errors.JOSEError) ||
  error instanceof errors.JWKSTimeout ||
  error instanceof errors.JWKSInvalid ||
  error.code === errors.JOSEError.code;

function keysAt(url: URL): PublicKeys {
  const keys = createRemoteJWKSet(url, {
    timeoutDuration: FETCH_TIMEOUT_MS,
    cacheMaxAge: FETCH_AGE_MS,
    cooldownDuration: FETCH_COOLDOWN_MS,
  });
  return {
    refresh: () => Promise.resolve(false),
    async find(header, token) {
      try {
        return await keys(header, token);
      } catch (error) {
        if (!unreachable(error)) throw error;
        throw new KeysUnavailable(`The keys at ${url.origin} cannot be had.`, { cause: error });
      }
    },
  };
}
