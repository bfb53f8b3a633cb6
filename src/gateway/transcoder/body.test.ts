// A body that is not JSON, and what is said about it.
import { describe, expect, it } from "vitest";
import { ask, libraryWith, recording } from "./library.fixture.ts";

const library = libraryWith({
  PatchField: { pattern: { case: "patch", value: "/books/{book.name}" }, body: "book" },
  PostBook: { input: "Book", pattern: { case: "post", value: "/books" }, body: "*" },
});

const malformed: readonly (readonly [json: string, detail: RegExp])[] = [
  ['{"a":1,}', /expected a name in double quotes at line 1, column 8/],
  ['{\n  "a": 1\n  "b": 2\n}', /expected "," or "}" at line 3, column 3/],
  ["hello", /expected a value at line 1, column 1/],
  ['{"price":', /expected a value, but it ends at line 1, column 10/],
  ['{"a":01}', /expected "," or "}" at line 1, column 7/],
  ['{"title":"a\nb"}', /unfinished string at line 1, column 10/],
  ['{"title":"a","title":"b"}', /"title" is given twice at line 1, column 14/],
  ["{} {}", /expected the end at line 1, column 4/],
  ["[".repeat(100_000), /nested too deep/],
  [`{"title":"${"x\\n".repeat(200_000)}`, /unfinished string/],
];

describe("a body that is not JSON is refused with the place", () => {
  it.each(malformed)("%.40s", async (json, detail) => {
    const { transcoder } = recording([library]);
    const answer = await ask(transcoder, { url: "/books", json });
    expect(answer.status).toBe(400);
    expect(answer.json["detail"]).toMatch(detail);
  });

  it.each(["12345678901234567890", "1e300", "-12345678901234567890123"])(
    "and the number %s is no text, however long it is",
    async (number) => {
      const { transcoder, calls } = recording([library]);
      const json = `{"title":${number}}`;
      const answer = await ask(transcoder, { url: "/books", json });
      expect(answer.status).toBe(400);
      expect(answer.json["violations"]).toMatchObject([{ field: "title" }]);
      expect(calls).toEqual([]);
    },
  );

  it("and a name that no field could have is not repeated", async () => {
    const { transcoder } = recording([library]);
    const json = '{"4242 4242 4242 4242":1}';
    const answer = await ask(transcoder, { url: "/books", json });
    expect(answer.json["violations"]).toMatchObject([{ field: "…" }]);
    expect(JSON.stringify(answer.json)).not.toContain("4242");
  });

  it("and a text cannot reach beyond the field that is the body", async () => {
    const { transcoder, calls } = recording([library]);
    const json = '{"title":"T"},"force":true,"x":{}';
    const answer = await ask(transcoder, { method: "PATCH", url: "/books/x", json });
    expect(answer.status).toBe(400);
    expect(calls).toEqual([]);
  });
});
