// What an RPC is called with, for what an HTTP client sends: path, query and body.
import { toJson } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { ask, libraryMessage, libraryWith, recording } from "./library.fixture.ts";

const library = libraryWith({
  GetValues: { input: "Values", pattern: { case: "get", value: "/values" } },
  GetBook: { pattern: { case: "get", value: "/books/{name}" } },
  GetFile: { pattern: { case: "get", value: "/files/{name=**}" } },
  GetNested: { pattern: { case: "get", value: "/authors/{book.author.display_name=a/*}" } },
  PutWhole: { pattern: { case: "put", value: "/books/{name}" }, body: "*" },
  PatchField: { pattern: { case: "patch", value: "/books/{book.name}" }, body: "book" },
  PostTags: { pattern: { case: "post", value: "/books/{name}/tags" }, body: "tags" },
  PostNothing: { pattern: { case: "post", value: "/books/{name}:open" } },
  PostBook: { input: "Book", pattern: { case: "post", value: "/books" }, body: "*" },
  GetShelf: { input: "Book", pattern: { case: "get", value: "/shelves/{shelf_number}" } },
  ReadPrice: { pattern: { case: "get", value: "/prices/{price}" } },
});

type Row = readonly [url: string, request: unknown, method?: string, json?: string];

const understood: readonly Row[] = [
  // Scalars
  ["/values?a_double=1.5e3", { aDouble: 1500 }],
  ["/values?aDouble=NaN", { aDouble: "NaN" }],
  ["/values?aFloat=-Infinity", { aFloat: "-Infinity" }],
  ["/values?an_int32=-2147483648", { anInt32: -2147483648 }],
  ["/values?an_int64=9223372036854775807", { anInt64: "9223372036854775807" }],
  ["/values?a_uint32=4294967295", { aUint32: 4294967295 }],
  ["/values?a_uint64=18446744073709551615", { aUint64: "18446744073709551615" }],
  [
    "/values?aSint32=-1&aSint64=-2&aFixed32=3&aFixed64=4",
    { aSint32: -1, aSint64: "-2", aFixed32: 3, aFixed64: "4" },
  ],
  ["/values?aSfixed32=-5&aSfixed64=-6", { aSfixed32: -5, aSfixed64: "-6" }],
  ["/values?a_bool=true", { aBool: true }],
  ["/values?a_string=a+b%2Bc%20d%C3%A9", { aString: "a b+c dé" }],
  ["/values?a_string=a=b", { aString: "a=b" }],
  ["/values?a_string", {}],
  ["/values?&&a_bool=true&", { aBool: true }],
  // Bytes in both alphabets, with and without padding
  ["/values?someBytes=%2B%2F8%3D", { someBytes: "+/8=" }],
  ["/values?someBytes=-_8", { someBytes: "+/8=" }],
  // Enums by name and by number; an open enum keeps what it does not know
  ["/values?genre=CRIME", { genre: "CRIME" }],
  ["/values?genre=2", { genre: "CRIME" }],
  ["/values?genre=99", { genre: 99 }],
  // Repeated
  ["/values?numbers=1&numbers=2&numbers=1", { numbers: [1, 2, 1] }],
  ["/values?genres=POETRY&genres=2", { genres: ["POETRY", "CRIME"] }],
  // Nested
  [
    "/values?author.display_name=Ada&author.mentor.displayName=Bo",
    { author: { displayName: "Ada", mentor: { displayName: "Bo" } } },
  ],
  ["/values?author.awards=x&author.awards=y", { author: { awards: ["x", "y"] } }],
  // Well-known types
  ["/values?aTime=2030-01-31T09:30:00.5Z", { aTime: "2030-01-31T09:30:00.500Z" }],
  ["/values?aDuration=-1.5s", { aDuration: "-1.500s" }],
  ["/values?aMask=title,author.displayName", { aMask: "title,author.displayName" }],
  ["/values?aMask=title,author.display_name", { aMask: "title,author.displayName" }],
  [
    "/values?aLong=5&aText=&aFlag=false&aBlob=AA",
    { aLong: "5", aText: "", aFlag: false, aBlob: "AA==" },
  ],
  ["/values?one=x", { one: "x" }],
  // Paths
  ["/books/a%2Fb%20c:d", { name: "a/b c:d" }],
  ["/files/a%2Fb/c%20d%25", { name: "a%2Fb/c d%" }],
  ["/files/a%2fb%3Ac", { name: "a%2fb%3Ac" }],
  ["/files", {}],
  ["/authors/a/b", { book: { author: { displayName: "a/b" } } }],
  ["/shelves/3", { shelfNumber: 3 }],
  ["/prices/12", { price: "12" }],
  ["/books/x?force=true&tags=a&tags=b", { name: "x", force: true, tags: ["a", "b"] }],
  ["/books/x?name=x", { name: "x" }],
  ["http://example.com/books/x?force=true", { name: "x", force: true }],
  // Bodies
  ["/books/x", { name: "x", price: "7" }, "PUT", '{"price":"7"}'],
  ["/books/x", { name: "x", price: "7" }, "PUT", '{"price":7,"name":"x"}'],
  ["/books/x", { name: "x", price: "9007199254740993" }, "PUT", '{"price":9007199254740993}'],
  ["/books/x", { name: "x" }, "PUT", ""],
  ["/books/x?name=x", { name: "x" }, "PUT", "{}"],
  [
    "/books/x?force=true",
    { book: { name: "x", title: "T" }, force: true },
    "PATCH",
    '{"title":"T"}',
  ],
  ["/books/x/tags", { name: "x", tags: ["a"] }, "POST", '["a"]'],
  ["/books/x:open?force=true", { name: "x", force: true }, "POST"],
  ["/books", { editors: [{ displayName: "A" }] }, "POST", '{"editors":[{"display_name":"A"}]}'],
];

describe("an RPC is called with what the request says", () => {
  for (const [url, request, method = "GET", json] of understood) {
    it(`${method} ${url} ${json ?? ""}`, async () => {
      const { transcoder, calls } = recording([library]);
      const answer = await ask(transcoder, {
        method,
        url,
        ...(json === undefined ? {} : { json }),
      });
      expect(answer.json).not.toHaveProperty("code");
      const [call] = calls;
      if (call === undefined) throw new Error("no RPC was called");
      const type = call.request.$typeName.replace("bookshop.", "");
      expect(toJson(libraryMessage(type), call.request)).toEqual(request);
    });
  }
});

type Refusal = readonly [
  url: string,
  field: string,
  message: RegExp,
  method?: string,
  json?: string,
];

const refused: readonly Refusal[] = [
  // Query
  ["/values?nonsense=1", "nonsense", /not a parameter/],
  ["/values?author.nonsense=1", "author.nonsense", /not a parameter/],
  ["/values?aTime.seconds=1", "aTime.seconds", /not a parameter/],
  ["/values?__proto__=1", "__proto__", /not a parameter/],
  [
    `/values?${"author.mentor.".repeat(20)}awards=1`,
    `${"author.mentor.".repeat(20)}awards`,
    /not a parameter/,
  ],
  ["/values?author=x", "author", /cannot be given in the query/],
  ["/values?authors=x", "authors", /cannot be given in the query/],
  ["/values?a_bool=true&aBool=true", "aBool", /more than once/],
  ["/values?a_string=a&a_string=a", "a_string", /more than once/],
  ["/values?one=a&other=b", "other", /together with one/],
  ["/values?an_int32=2147483648", "an_int32", /whole number from -2147483648 to 2147483647/],
  ["/values?an_int32=1.0", "an_int32", /whole number/],
  ["/values?an_int32=", "an_int32", /whole number/],
  ["/values?an_int32=+1", "an_int32", /whole number/],
  ["/values?a_uint64=-1", "a_uint64", /not negative/],
  ["/values?a_bool=yes", "a_bool", /true or false/],
  ["/values?a_float=1e39", "a_float", /number of 32 bits/],
  ["/values?a_double=0x10", "a_double", /a number/],
  ["/values?genre=crime", "genre", /one of GENRE_UNSPECIFIED, POETRY, CRIME/],
  ["/values?someBytes=a", "someBytes", /base64/],
  ["/values?someBytes=-/==", "someBytes", /base64/],
  ["/values?aTime=yesterday", "aTime", /a time such as/],
  ["/values?aDuration=1sec", "aDuration", /a duration/],
  ["/values?aDuration=1.1234567890s", "aDuration", /a duration/],
  ["/values?aMask=a..b", "aMask", /field paths/],
  ["/values?numbers=1&numbers=x", "numbers", /whole number/],
  // Path
  ["/prices/dear", "price", /whole number/],
  ["/books/x?name=y", "name", /differs from what the path says/],
  ["/books/x", "name", /differs from what the body says/, "PUT", '{"name":"y"}'],
  ["/shelves/3?isbn=9", "isbn", /together with shelfNumber/],
  // Body
  ["/books/x?force=true", "force", /belongs in the body/, "PUT", "{}"],
  ["/books/x?book.title=T", "book.title", /belongs in the body/, "PATCH", "{}"],
  ["/books", "nonsense", /not a field/, "POST", '{"nonsense":1}'],
  ["/books", "__proto__", /not a field/, "POST", '{"__proto__":1}'],
  [
    "/books",
    "editors[1].displayName",
    /must be a string/,
    "POST",
    '{"editors":[{},{"displayName":5}]}',
  ],
  [
    "/books",
    "editors[0].display_name",
    /must be a string/,
    "POST",
    '{"editors":[{"display_name":{}}]}',
  ],
  ["/books", "editors[0]", /must be an object/, "POST", '{"editors":["x"]}'],
  ["/books", "editors", /must be an array/, "POST", '{"editors":{}}'],
  ["/books", "tags[1]", /must be a string/, "POST", '{"tags":["a",null]}'],
  ["/books", "author", /must be an object/, "POST", '{"author":[]}'],
  ["/books", "price", /64 bits, in a string/, "POST", '{"price":99999999999999999999}'],
  ["/books", "price", /64 bits/, "POST", '{"price":"1.5"}'],
  ["/books", "genre", /one of/, "POST", '{"genre":"SCIENCE"}'],
  ["/books", "publishTime", /a time such as/, "POST", '{"publishTime":"soon"}'],
  ["/books", "shelfNumber", /together with isbn/, "POST", '{"isbn":"1","shelfNumber":2}'],
  ["/books", "body", /must be an object/, "POST", "[]"],
  ["/books/x", "book.title", /must be a string/, "PATCH", '{"title":1}'],
  ["/books/x/tags", "tags", /must be an array/, "POST", '"a"'],
];

describe("a request that does not fit is refused with the field", () => {
  for (const [url, field, message, method = "GET", json] of refused) {
    it(`${field} of ${method} ${url} ${json ?? ""}`, async () => {
      const { transcoder, calls } = recording([library]);
      const answer = await ask(transcoder, {
        method,
        url,
        ...(json === undefined ? {} : { json }),
      });
      expect(answer.status).toBe(400);
      expect(answer.json).toMatchObject({
        code: "invalid_argument",
        violations: [{ field, message: expect.stringMatching(message) as string }],
      });
      expect(calls).toEqual([]);
    });
  }

  it("names every field that is wrong, not only the first", async () => {
    const { transcoder } = recording([library]);
    const body = await ask(transcoder, {
      url: "/books",
      json: '{"price":true,"tags":[1,"x",2],"nope":0}',
    });
    expect(body.json["violations"]).toMatchObject([
      { field: "price" },
      { field: "tags[0]" },
      { field: "tags[2]" },
      { field: "nope" },
    ]);
    const query = await ask(transcoder, { url: "/values?a_bool=1&an_int32=x" });
    expect(query.json["violations"]).toMatchObject([{ field: "a_bool" }, { field: "an_int32" }]);
  });
});
