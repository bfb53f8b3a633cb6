// Adds what the released contract writes to contract/golden/. Part of `npm run contract:release`. Nothing there is ever changed:
// what an older version wrote is still on a topic somewhere.
import { toBinary, toJson } from "@bufbuild/protobuf";
import { readGolden, writeGolden, type GoldenSample } from "./golden-file.ts";
import { eventsOf, readReleased, type DeclaredEvent } from "./released.ts";
import { sampleOf, type Fullness } from "./sample.ts";

const FULLNESS: readonly Fullness[] = ["every field", "what is required"];

const contract = readReleased();
const known = readGolden();

function samplesOf(event: DeclaredEvent): GoldenSample[] {
  const { message } = event;
  return FULLNESS.map((holds) => {
    const sample = sampleOf(event, holds);
    return {
      holds,
      bytes: Buffer.from(toBinary(message, sample)).toString("base64"),
      reads: toJson(message, sample, { registry: contract }),
    };
  });
}

for (const event of eventsOf(contract)) {
  const before = known.get(event.name)?.samples ?? [];
  const samples = [...before];
  for (const sample of samplesOf(event)) {
    if (samples.every(({ bytes }) => bytes !== sample.bytes)) samples.push(sample);
  }
  const added = samples.length - before.length;
  if (added === 0) continue;
  writeGolden(event.name, { message: event.message.typeName, samples });
  console.log(`contract/golden/${event.name}.json: ${added} added`);
}
