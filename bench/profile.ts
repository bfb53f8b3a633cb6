// Where the time of a service goes: its CPU profile, by function and by package.
import { isAbsolute, relative } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const TOP_FUNCTIONS = 15;

/** As V8 writes it: https://chromedevtools.github.io/devtools-protocol/tot/Profiler/#type-Profile */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: {
      readonly functionName: string;
      readonly url: string;
      readonly lineNumber: number;
    };
    readonly children?: readonly number[];
  }[];
  readonly samples?: readonly number[];
  /** Microseconds before each sample. */
  readonly timeDeltas?: readonly number[];
}

export interface Part {
  readonly name: string;
  /** Milliseconds in its own code, and in native functions that it calls. */
  readonly self: number;
  /** The same, with what Node's own modules did beneath it. */
  readonly withNode: number;
}

export interface ProfileSummary {
  readonly process: string;
  /** Milliseconds, like all that follow. */
  readonly wall: number;
  readonly busy: number;
  readonly parts: readonly Part[];
  readonly functions: readonly { readonly name: string; readonly self: number }[];
}

interface Place {
  readonly name: string;
  readonly part: string;
  readonly behalf: string;
}

export function summarize(process: string, profile: CpuProfile): ProfileSummary {
  const places = placesOf(profile);
  const functions = new Map<string, number>();
  const parts = new Map<string, { self: number; withNode: number }>();
  const partOf = (name: string) => {
    const part = parts.get(name) ?? { self: 0, withNode: 0 };
    parts.set(name, part);
    return part;
  };
  let wall = 0;
  let idle = 0;
  const { samples = [], timeDeltas = [] } = profile;
  for (const [index, id] of samples.entries()) {
    // A delta is the time before its sample: what ran until the next one is the sample's.
    const spent = Math.max(0, (timeDeltas[index + 1] ?? 0) / 1000);
    const place = places.get(id);
    wall += spent;
    if (place === undefined || place.part === "(idle)") {
      idle += spent;
      continue;
    }
    functions.set(place.name, (functions.get(place.name) ?? 0) + spent);
    partOf(place.part).self += spent;
    partOf(place.behalf).withNode += spent;
  }
  return {
    process,
    wall,
    busy: wall - idle,
    parts: [...parts]
      .map(([name, spent]) => Object.assign({ name }, spent))
      .toSorted((a, b) => b.withNode - a.withNode),
    functions: [...functions]
      .map(([name, self]) => ({ name, self }))
      .toSorted((a, b) => b.self - a.self)
      .slice(0, TOP_FUNCTIONS),
  };
}

/** For each node of the call tree what it is, whose it is, and on whose behalf it runs. */
function placesOf(profile: CpuProfile): Map<number, Place> {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const places = new Map<number, Place>();
  const root = profile.nodes[0];
  const open = root === undefined ? [] : [{ id: root.id, part: "(native)", behalf: "" }];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const node = nodes.get(at.id);
    if (node === undefined) continue;
    const { functionName, url, lineNumber } = node.callFrame;
    // A native function has no file: it belongs to whoever calls it.
    const part = url === "" ? (SPECIAL.get(functionName) ?? at.part) : partOfFile(url);
    const isOwn = !part.startsWith("node:") && !SPECIAL.has(functionName);
    const behalf = isOwn && part !== "(native)" ? part : at.behalf;
    const name = `${functionName || "(anonymous)"} ${url === "" ? `← ${part}` : `${shortFile(url)}:${lineNumber + 1}`}`;
    places.set(at.id, {
      name,
      part,
      behalf: behalf === "" || SPECIAL.has(functionName) ? part : behalf,
    });
    for (const id of node.children ?? []) open.push({ id, part, behalf });
  }
  return places;
}

const SPECIAL = new Map([
  ["(idle)", "(idle)"],
  ["(garbage collector)", "(gc)"],
  ["(program)", "(native: V8, libuv, the kernel)"],
]);

function partOfFile(url: string): string {
  if (url.startsWith("node:")) return partOfNode(url);
  const file = shortFile(url);
  const [, scope, name] = /.*node_modules\/(@[^/]+\/)?([^/]+)/.exec(file) ?? [];
  if (name !== undefined) return `${scope ?? ""}${name}`;
  const [top = file, room = "", inner = ""] = file.split("/");
  if (top !== "src") return top;
  return room === "platform" && !inner.includes(".") ? `src/platform/${inner}` : `src/${room}`;
}

function partOfNode(url: string): string {
  if (/http2/.test(url)) return "node:http2";
  if (/_http/.test(url)) return "node:http";
  if (/crypto/.test(url)) return "node:crypto";
  if (/webstreams|streams|stream|:net$|stream_base/.test(url)) return "node:net, streams";
  if (/timers|async|task_queues|promises|abort_controller|event_target/.test(url))
    return "node:timers, promises, signals";
  return "node: the rest";
}

function shortFile(url: string): string {
  const file = url.startsWith("file:") ? fileURLToPath(url) : url;
  return isAbsolute(file) ? relative(ROOT, file) : file;
}
