// The containers and the embedded servers are of the same versions.
import { expect, test } from "vitest";
import { composeImage } from "./compose.ts";
import { kafkaVersion } from "./kafka-jars.ts";
import { installedPostgres } from "./postgres-binaries.ts";

test("compose.yaml names the Kafka that is fetched as jars", () => {
  expect(composeImage("kafka")).toBe(`apache/kafka:${kafkaVersion()}`);
});

test("compose.yaml names the major version of the embedded PostgreSQL", () => {
  expect(composeImage("postgres")).toBe(`postgres:${installedPostgres().version.split(".")[0]}`);
});
