// TimelineSourceService: what this service knows of the life of an order.
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ConnectRouter, HandlerContext } from "@connectrpc/connect";
import { TimelineVisibility } from "../../../gen/waybill/timeline/v1/timeline_pb.js";
import {
  TimelineSourceService,
  type ListTimelineEntriesRequest,
} from "../../../gen/waybill/timeline/v1/timeline_source_service_pb.js";
import { customerScope } from "../access/principal.ts";
import type { Database } from "../database/open.ts";
import { cutPage, ID_KEY, pageSizeOf, readPageToken } from "../page.ts";
import { principalOf } from "../rpc/principal.ts";
import { listTimeline, type TimelineRow } from "./store.ts";

/** `service` is the name that its entries carry: "payment". */
export const timelineRoutes =
  (parts: { readonly db: Database; readonly service: string }) => (router: ConnectRouter) => {
    router.service(TimelineSourceService, {
      listTimelineEntries: (request, context) => listEntries(parts, request, context),
    });
  };

async function listEntries(
  { db, service }: { readonly db: Database; readonly service: string },
  request: ListTimelineEntriesRequest,
  context: HandlerContext,
) {
  const scope = customerScope(principalOf(context));
  const filter = `timeline:${request.orderId}:${scope ?? ""}`;
  const size = pageSizeOf(request.pageSize);
  const after = readPageToken(request.pageToken, filter, ID_KEY);
  const rows = await listTimeline(db, request.orderId, scope, { after, limit: size + 1 });
  const { page, nextPageToken } = cutPage(rows, size, (row) => row.id, filter);
  return { entries: page.map((row) => toEntry(row, service)), nextPageToken };
}

const toEntry = (row: TimelineRow, service: string) => ({
  ...row,
  service,
  visibility: TimelineVisibility[row.visibility],
  createTime: timestampFromDate(row.createTime),
});
