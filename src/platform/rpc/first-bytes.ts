// Looks at how a connection begins, and puts what it read back.
import type { Socket } from "node:net";

/** Calls `decide` as soon as it is certain whether the connection starts so; one that ends or dawdles before is closed. */
export function onFirstBytes(
  socket: Socket,
  { start, timeoutMs }: { readonly start: string; readonly timeoutMs: number },
  decide: (matches: boolean) => void,
): void {
  let head = Buffer.alloc(0);
  const stop = () => socket.destroy();
  const timer = setTimeout(stop, timeoutMs);

  const leave = () => {
    clearTimeout(timer);
    socket.off("readable", onReadable);
    socket.off("end", stop);
    socket.off("error", stop);
    socket.off("close", leave);
  };
  const onReadable = () => {
    const chunk: unknown = socket.read();
    if (!Buffer.isBuffer(chunk)) return;
    head = Buffer.concat([head, chunk]);
    const seen = head.toString("latin1", 0, start.length);
    // The first segment may be shorter than what tells the two apart.
    if (seen.length < start.length && start.startsWith(seen)) return;
    leave();
    socket.unshift(head);
    decide(seen === start);
  };

  socket.on("readable", onReadable);
  socket.once("end", stop);
  socket.once("error", stop);
  socket.once("close", leave);
}
