// What the services tell of the life of an order, asked of each of them as the gateway would.
import type { TimelineEntry } from "../../gen/waybill/timeline/v1/timeline_pb.js";
import {
  ListTimelineEntriesResponseSchema,
  type ListTimelineEntriesResponse,
} from "../../gen/waybill/timeline/v1/timeline_source_service_pb.js";
import type { Store } from "../../dev/backends/databases.ts";
import { eventually } from "./eventually.ts";
import { type Answer, ask, messageOf } from "./http.ts";
import type { Place } from "./place.ts";

const PATH = "/waybill.timeline.v1.TimelineSourceService/ListTimelineEntries";

interface Page {
  readonly orderId: string;
  readonly pageSize?: number;
  readonly pageToken?: string;
}

export const askTimeline = (
  place: Place,
  service: Store,
  token: string,
  page: Page,
): Promise<Answer> => ask(`${place.stack.services[service].url}${PATH}`, { token, body: page });

export const timelinePage = async (
  place: Place,
  service: Store,
  token: string,
  page: Page,
): Promise<ListTimelineEntriesResponse> =>
  messageOf(ListTimelineEntriesResponseSchema, await askTimeline(place, service, token, page));

/** The first hundred entries that the caller may read, the oldest first. */
export const timelineOf = async (
  place: Place,
  service: Store,
  token: string,
  orderId: string,
): Promise<readonly TimelineEntry[]> =>
  (await timelinePage(place, service, token, { orderId, pageSize: 100 })).entries;

/** All that a service has to tell, as an operator reads it. */
export const wholeStory = (
  place: Place,
  service: Store,
  orderId: string,
): Promise<readonly TimelineEntry[]> =>
  timelineOf(place, service, place.stack.tokens.operator, orderId);

/** The entry of the type that says this, as soon as it is there. */
export const entryOf = (
  place: Place,
  service: Store,
  orderId: string,
  { type, text }: { readonly type: string; readonly text: string | RegExp },
): Promise<TimelineEntry> =>
  eventually(async () => {
    const told = (await wholeStory(place, service, orderId)).filter((entry) => entry.type === type);
    const found = told.find((entry) =>
      typeof text === "string" ? entry.text.includes(text) : text.test(entry.text),
    );
    if (found !== undefined) return found;
    throw new Error(`${type} says ${JSON.stringify(told.map((entry) => entry.text))}`);
  });
