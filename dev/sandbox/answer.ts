// What a provider answers, before a fault may spoil it.

export interface Answer {
  readonly status: number;
  /** JSON text, kept as it was sent so that a replay is the same to the byte. */
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export const jsonAnswer = (
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): Answer => ({
  status,
  body: JSON.stringify(body),
  headers,
});
