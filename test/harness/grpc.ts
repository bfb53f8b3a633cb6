// gRPC as @grpc/grpc-js speaks it: another implementation than the one that serves.
import {
  create,
  fromBinary,
  toBinary,
  type DescMessage,
  type DescMethodUnary,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";
import { Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";

const ANSWER_WITHIN_MS = 15_000;

/** One call. @throws the ServiceError that it ends with: its code is a number, gRPC's own */
export async function callOverGrpc<I extends DescMessage, O extends DescMessage>(
  url: string,
  method: DescMethodUnary<I, O>,
  message: MessageInitShape<I>,
  token?: string,
): Promise<MessageShape<O>> {
  using client = openClient(url);
  const metadata = new Metadata();
  if (token !== undefined) metadata.set("authorization", `Bearer ${token}`);
  return await new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      `/${method.parent.typeName}/${method.name}`,
      (request: MessageShape<I>) => Buffer.from(toBinary(method.input, request)),
      (bytes: Buffer) => fromBinary(method.output, bytes),
      create(method.input, message),
      metadata,
      { deadline: Date.now() + ANSWER_WITHIN_MS },
      (error: ServiceError | null, answer?: MessageShape<O>) =>
        answer === undefined ? reject(error ?? new Error("no answer")) : resolve(answer),
    );
  });
}

/** The first answer to one question on a bidirectional stream. */
export async function streamOverGrpc<I extends DescMessage, O extends DescMessage>(
  url: string,
  path: string,
  o: { readonly input: I; readonly output: O; readonly question: unknown },
): Promise<MessageShape<O>> {
  using client = openClient(url);
  const stream = client.makeBidiStreamRequest(
    path,
    (request: MessageShape<I>) => Buffer.from(toBinary(o.input, request)),
    (bytes: Buffer) => fromBinary(o.output, bytes),
    { deadline: Date.now() + ANSWER_WITHIN_MS },
  );
  return await new Promise((resolve, reject) => {
    stream.once("data", (answer: MessageShape<O>) => {
      resolve(answer);
      stream.cancel();
    });
    stream.on("error", reject); // the cancelling, too, which comes too late to matter
    stream.write(create(o.input, o.question as MessageInitShape<I>));
  });
}

function openClient(url: string): Client & Disposable {
  const client = new Client(new URL(url).host, credentials.createInsecure());
  return Object.assign(client, { [Symbol.dispose]: () => client.close() });
}
