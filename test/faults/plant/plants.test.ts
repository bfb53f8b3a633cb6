// The promise: what the fault suite plants finds its place in the code, or says loudly that it does not.
import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { expect, test } from "vitest";
import { edited } from "./edit.ts";
import { editsOf, PLANT_NAMES } from "./plants.ts";

const ROOT = new URL("../../../", import.meta.url);

test.each(PLANT_NAMES)("%s has its place in the code, and leaves code behind", (name) => {
  for (const [file, edits] of Map.groupBy(editsOf(name), (edit) => edit.file)) {
    const source = readFileSync(new URL(file, ROOT), "utf8");
    expect(() => stripTypeScriptTypes(edited(source, edits))).not.toThrow();
  }
});

test("a plant whose anchor is gone, or there twice, does not grow", () => {
  const edit = { file: "some.ts", anchor: "await work();", by: "" };

  expect(() => edited("await other();", [edit])).toThrow("some.ts 0 times");
  expect(() => edited("await work(); await work();", [edit])).toThrow("some.ts 2 times");
  expect(edited("before; await work(); after;", [edit])).toBe("before;  after;");
});
