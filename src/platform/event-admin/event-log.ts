// The log of events, asked for a caller: that no broker answers is a failure that passes, and is told as one.
import { underlying } from "../events/failure.ts";
import type { EventLog } from "../events/ports.ts";
import { TransientError } from "../transient.ts";

/** What `onRecords` throws stays what it is. */
export function passingFailures(log: EventLog): EventLog {
  return {
    ranges: (topic, since) => log.ranges(topic, since).catch(rethrow),
    committed: (group, topic) => log.committed(group, topic).catch(rethrow),
    async read(o) {
      const thrown: unknown[] = [];
      const onRecords: typeof o.onRecords = async (records) => {
        try {
          await o.onRecords(records);
        } catch (error) {
          thrown.push(error);
          throw error;
        }
      };
      try {
        await log.read({ ...o, onRecords });
      } catch (error) {
        if (thrown.length > 0) throw thrown[0];
        rethrow(error);
      }
    },
  };
}

function rethrow(error: unknown): never {
  throw new TransientError(`the broker: ${underlying(error).message}`, { cause: error });
}
