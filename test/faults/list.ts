// The faults of the suite. A new one is a file of its own, and a line here.
import type { Fault } from "./fault.ts";
import { killServices } from "./f1-kill-services.ts";
import { freeze } from "./f3-freeze.ts";
import { killBroker } from "./f4-kill-broker.ts";
import { cutOffBroker } from "./f5-cut-off-broker.ts";
import { stopDatabase } from "./f6-stop-database.ts";

export const FAULTS: readonly Fault[] = [
  killServices,
  freeze,
  killBroker,
  cutOffBroker,
  stopDatabase,
];
