// What of an error may be written into the log. A failed query carries its parameters: names, addresses, secrets.

const carriesParameters = (error: Error): error is Error & { readonly query: unknown } =>
  "query" in error && "params" in error;

/** The error itself, or a copy of it and of its causes without the parameters of queries. */
export function loggable(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const cause = loggable(error.cause);
  if (!carriesParameters(error) && cause === error.cause) return error;
  const message = carriesParameters(error) ? `failed query: ${String(error.query)}` : error.message;
  const copy = new Error(message, { cause });
  copy.name = error.name;
  return copy;
}
