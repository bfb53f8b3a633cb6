// IDs of everything Waybill makes.
import { v7 } from "uuid";

/** A UUIDv7 (RFC 9562): unguessable enough, and in the order of creation, which keeps indexes small. */
export const newId = (): string => v7();
