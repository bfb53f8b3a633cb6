// The services of the contract, as they were generated: none is left out by whoever writes a list.
import { globSync } from "node:fs";
import type { DescService } from "@bufbuild/protobuf";

const ROOT = new URL("../../", import.meta.url);

/** Every service of waybill.*, by its name. */
export async function contractServices(): Promise<ReadonlyMap<string, DescService>> {
  const files = globSync("gen/waybill/**/*_pb.js", { cwd: ROOT });
  const modules = await Promise.all(
    files.map(async (file) => (await import(new URL(file, ROOT).href)) as Record<string, unknown>),
  );
  const services = modules.flatMap((module) => Object.values(module)).filter(isService);
  return new Map(services.map((service) => [service.typeName, service]));
}

const isService = (value: unknown): value is DescService =>
  typeof value === "object" && value !== null && "kind" in value && value.kind === "service";
