// A bounded memory of what was used last: a Map whose oldest entry leaves when it is full.

export interface Recent<V> {
  get(key: string): V | undefined;
  set(key: string, value: V): void;
  clear(): void;
}

/** Keeps the `size` entries that were used last. */
export function createRecent<V>(size: number): Recent<V> {
  const entries = new Map<string, V>();
  return {
    get(key) {
      const value = entries.get(key);
      if (value === undefined) return undefined;
      // A Map keeps the order of insertion: put back in, the entry is the youngest.
      entries.delete(key);
      entries.set(key, value);
      return value;
    },
    set(key, value) {
      entries.delete(key);
      entries.set(key, value);
      const oldest = entries.size > size ? entries.keys().next() : undefined;
      if (oldest?.done === false) entries.delete(oldest.value);
    },
    clear: () => entries.clear(),
  };
}
