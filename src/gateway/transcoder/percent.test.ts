// Whatever an encoder by the rules of http.proto puts into a path or query comes out of it again.
import fc from "fast-check";
import { expect, it } from "vitest";
import { ask, libraryWith, recording } from "./library.fixture.ts";

const library = libraryWith({
  GetBook: { pattern: { case: "get", value: "/books/{name}" } },
  OpenBook: { pattern: { case: "get", value: "/books/{name}:open" } },
  GetFile: { pattern: { case: "get", value: "/files/{name=x/**}" } },
});
const { transcoder, calls } = recording([library]);

async function nameOf(url: string): Promise<{ rpc: string; name: unknown; tags: unknown }> {
  calls.length = 0;
  await ask(transcoder, { url });
  const [call] = calls;
  if (call === undefined) throw new Error(`no RPC was called by ${url}`);
  const request = call.request as unknown as { name: unknown; tags: unknown };
  return { rpc: call.rpc, name: request.name, tags: request.tags };
}

const text = fc.string({ unit: "binary", minLength: 1 });

it("a variable of one segment holds any text, slashes and colons too", async () => {
  await fc.assert(
    fc.asyncProperty(text, async (name) => {
      const path = `/books/${encodeURIComponent(name)}`;
      expect(await nameOf(path)).toMatchObject({ rpc: "GetBook", name });
      expect(await nameOf(`${path}:open`)).toMatchObject({ rpc: "OpenBook", name });
    }),
    { numRuns: 300 },
  );
});

it("a variable of several segments holds any text but what a path cannot hold raw", async () => {
  const segments = fc.array(
    text.filter((part) => !/[?#[\]/]/.test(part)),
    { maxLength: 4 },
  );
  const reserved = (part: string) =>
    encodeURIComponent(part).replaceAll(/%(?:2[1346789ABCF]|3[ABD]|40)/g, decodeURIComponent);
  await fc.assert(
    fc.asyncProperty(segments, async (parts) => {
      const path = ["/files/x", ...parts.map(reserved)].join("/");
      expect(await nameOf(path)).toMatchObject({ rpc: "GetFile", name: ["x", ...parts].join("/") });
    }),
    { numRuns: 300 },
  );
});

it("a query holds any texts, in their order", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(text), async (tags) => {
      const query = new URLSearchParams(tags.map((tag): [string, string] => ["tags", tag]));
      expect(await nameOf(`/books/a?${query.toString()}`)).toMatchObject({ tags });
    }),
    { numRuns: 300 },
  );
});
