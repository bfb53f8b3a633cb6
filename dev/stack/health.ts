// Asks a process of the stack whether it serves.

const ASK_WITHIN_MS = 2000;

/** The standard health check of gRPC, in JSON. */
export async function serviceServes(url: string): Promise<boolean> {
  const answer = await ask(`${url}/grpc.health.v1.Health/Check`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: "{}",
  });
  return answer !== undefined && /"status"\s*:\s*"SERVING"/.test(answer);
}

export async function sandboxServes(url: string): Promise<boolean> {
  return (await ask(`${url}/_/health`, {})) !== undefined;
}

/** The body of a good answer; undefined for a bad one or none. */
async function ask(url: string, request: RequestInit): Promise<string | undefined> {
  try {
    const answer = await fetch(url, { ...request, signal: AbortSignal.timeout(ASK_WITHIN_MS) });
    const body = await answer.text();
    return answer.ok ? body : undefined;
  } catch {
    return undefined; // it does not listen yet, or not any more
  }
}
