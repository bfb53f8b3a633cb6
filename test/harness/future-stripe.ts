// Stripe as a later version of it may be: the same answers, but for a word that did not exist when this code was written.
import { createServer, request, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A server before `stripe` that writes `to` for `from` in its answers, until it is disposed. */
export async function openFutureStripe(
  stripe: string,
  words: { readonly from: string; readonly to: string },
): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer((asked, answer) => passOn(stripe, words, { asked, answer }));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function passOn(
  stripe: string,
  { from, to }: { readonly from: string; readonly to: string },
  { asked, answer }: { readonly asked: IncomingMessage; readonly answer: ServerResponse },
): void {
  const { host: _own, ...headers } = asked.headers;
  const sent = request(`${stripe}${asked.url ?? ""}`, { method: asked.method, headers }, (told) => {
    const chunks: Buffer[] = [];
    told.on("data", (chunk: Buffer) => chunks.push(chunk));
    told.on("end", () => {
      const { "content-length": _length, ...kept } = told.headers;
      const body = Buffer.concat(chunks).toString().replaceAll(from, to);
      answer.writeHead(told.statusCode ?? 500, kept).end(body);
    });
  });
  sent.on("error", () => answer.destroy());
  asked.pipe(sent);
}
