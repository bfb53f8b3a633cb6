// The RPCs with which operators look into the events of a service, and help those that are stuck.
import type { ConnectRouter } from "@connectrpc/connect";
import {
  EventAdminService,
  type ListAuditEntriesRequest,
} from "../../../gen/waybill/event/v1/event_admin_service_pb.js";
import { listAudit } from "../events/audit.ts";
import { cutPage, ID_KEY, pageSizeOf, readPageToken } from "../page.ts";
import {
  getDeadLetter,
  listDeadLettersPage,
  listHeldKeysPage,
  replayDeadLettersOf,
  skipDeadLetterOf,
} from "./dead-letters.ts";
import { listParkedPage, releaseParkedOf, skipParkedOf } from "./parked-events.ts";
import { given, type EventAdminParts } from "./parts.ts";
import { replayTopicOf } from "./replay-topic.ts";
import { eventStatus } from "./status.ts";
import { toAuditEntry } from "./wire.ts";

/** The routes of a service, and these beside them. */
export const withEventAdmin =
  (parts: EventAdminParts, routes: (router: ConnectRouter) => void) =>
  (router: ConnectRouter): void => {
    routes(router);
    addEventAdmin(router, parts);
  };

function addEventAdmin(router: ConnectRouter, parts: EventAdminParts): void {
  router.service(EventAdminService, {
    getEventStatus: async () => ({ status: await eventStatus(parts) }),
    listDeadLetters: (request) => listDeadLettersPage(parts, request),
    getDeadLetter: (request) => getDeadLetter(parts, request),
    replayDeadLetters: (request, context) => replayDeadLettersOf(parts, request, context),
    skipDeadLetter: (request, context) => skipDeadLetterOf(parts, request, context),
    listHeldKeys: (request) => listHeldKeysPage(parts, request),
    listParkedEvents: (request) => listParkedPage(parts, request),
    releaseParkedEvents: (request, context) => releaseParkedOf(parts, request, context),
    skipParkedEvent: (request, context) => skipParkedOf(parts, request, context),
    replayTopic: (request, context) => replayTopicOf(parts, request, context),
    listAuditEntries: (request) => listAuditPage(parts, request),
  });
}

async function listAuditPage(parts: EventAdminParts, request: ListAuditEntriesRequest) {
  const wanted = { actor: given(request.actor), action: given(request.action) };
  const filter = JSON.stringify(["audit", wanted.actor, wanted.action]);
  const size = pageSizeOf(request.pageSize);
  const after = readPageToken(request.pageToken, filter, ID_KEY);
  const rows = await listAudit(parts.db, wanted, { after, limit: size + 1 });
  const { page, nextPageToken } = cutPage(rows, size, (row) => row.id, filter);
  return { auditEntries: page.map(toAuditEntry), nextPageToken };
}
