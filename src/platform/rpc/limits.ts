// How large a message may be, in either direction.

/** The largest message that a service reads, in bytes, unless it says otherwise. */
export const READ_LIMIT_BYTES = 1_048_576;
/** The largest message that a service writes, and that a client reads, in bytes: what gRPC clients read by default. */
export const WRITE_LIMIT_BYTES = 4_194_304;
