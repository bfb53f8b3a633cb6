// Keys to numbers, the same on every machine and in every release: rows in the outbox have the result stored.

const OFFSET_BASIS = 0x811c9dc5;
const PRIME = 0x01000193;

/** FNV-1a of the UTF-8 bytes, 32 bits, with a final mix so that the low bits of similar keys differ. */
export function keyHash(key: string): number {
  let hash = OFFSET_BASIS;
  for (const byte of Buffer.from(key, "utf8")) hash = Math.imul(hash ^ byte, PRIME);
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  return hash >>> 0;
}

/** How many shards the outbox has. Rows store theirs: drain every outbox before this changes. */
export const SHARDS = 16;

export const shardOf = (key: string): number => keyHash(key) % SHARDS;
