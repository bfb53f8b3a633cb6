// The faults of the suite. A new one is a file of its own, and a line here.
import type { Fault } from "./fault.ts";
import { killServices } from "./f1-kill-services.ts";
import { failPoints } from "./f2-fail-points.ts";
import { freeze } from "./f3-freeze.ts";
import { killBroker } from "./f4-kill-broker.ts";
import { cutOffBroker } from "./f5-cut-off-broker.ts";
import { stopDatabase } from "./f6-stop-database.ts";
import { lostAnswers } from "./f7-lost-answers.ts";
import { poisonEvents } from "./f9-poison.ts";
import { rebalance } from "./f10-rebalance.ts";
import { newerWriter } from "./f11-newer-contract.ts";
import { plantedDefects } from "./planted-defects.ts";
import { lives } from "./p1-lives.ts";
import { races } from "./races.ts";
import { oldSnapshot } from "./f12-old-snapshot.ts";

export const FAULTS: readonly Fault[] = [
  killServices,
  failPoints,
  freeze,
  killBroker,
  cutOffBroker,
  stopDatabase,
  lostAnswers,
  poisonEvents,
  rebalance,
  newerWriter,
  oldSnapshot,
  ...races,
  lives,
  plantedDefects,
];
