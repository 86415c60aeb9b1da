/** One WebSocket connection: frames to messages, commands to frames, answers to those who wait for them. */

import { membersOf, type Asked } from "./commands.js";
import { endingOf, failure, type Ending } from "./close_codes.js";
import { CommandRefused, StreamError } from "./errors.js";
import type { Answer, CommandId, Goodbye, Message } from "./messages.js";
import { SUBPROTOCOLS, decode, encode, type Encoding } from "./wire.js";

/** Opens a socket: the WebSocket of the browser or of Node, unless the program brings another. */
export type OpenSocket = (url: string, protocols: string[]) => WebSocket;

/** The connection ended before the answer came. */
export class LinkLost extends StreamError {}

interface Waiting {
  readonly asked: Asked;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

const MALFORMED = 3007; // what a page may send of 1007: the standard lets it use 1000 and 3000-4999 only

export class Link {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<CommandId, Waiting>();
  readonly #ended: (ending: Ending) => void;
  #lastId = 0;
  #goodbye: Goodbye | null = null;
  #isOver = false;

  /** `took` gets each message with the command that it answers; `ended` is called once. */
  constructor(
    socket: WebSocket,
    took: (message: Message, asked: Asked | undefined) => void,
    ended: (ending: Ending) => void,
  ) {
    this.#socket = socket;
    this.#ended = ended;
    socket.binaryType = "arraybuffer";
    socket.onerror = () => undefined; // its close follows, and says all that is known
    socket.onclose = ({ code, reason }) => this.#end(endingOf(code, reason, this.#goodbye));
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      const message = this.#decoded(data);
      if (!message || this.#isOver) return;
      if (message.type === "goodbye") this.#goodbye = message;
      took(message, this.#settle(message));
    };
  }

  /** Send a command and wait for its answer; CommandRefused if that is an error, LinkLost if none can come. */
  ask(asked: Asked): Promise<Answer> {
    if (this.#isOver) return Promise.reject(new LinkLost("the connection was lost"));
    return new Promise((resolve, reject) => {
      const settled = (answer: Answer): void => {
        if (answer.type === "error") reject(new CommandRefused(answer.reason, answer.message));
        else resolve(answer);
      };
      this.#lastId += 1;
      this.#waiting.set(this.#lastId, { asked, resolve: settled, reject });
      this.#socket.send(encode(membersOf(asked, this.#lastId), this.#encoding()));
    });
  }

  /** Send a command; nobody waits for its answer, which comes like all others. */
  tell(asked: Asked): void {
    this.ask(asked).catch(() => undefined);
  }

  /** Close the connection; it ends in this way, whatever its hub says from now on. */
  close(ending: Ending, code = 1000): void {
    this.#end(ending);
    this.#socket.close(code);
  }

  #end(ending: Ending): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const { reject } of this.#waiting.values()) reject(new LinkLost("the connection was lost"));
    this.#waiting.clear();
    this.#ended(ending);
  }

  #decoded(frame: string | ArrayBuffer): Message | null {
    try {
      return decode(frame);
    } catch (problem) {
      this.close(failure(`malformed message: ${String(problem)}`), MALFORMED);
      return null;
    }
  }

  #settle(message: Message): Asked | undefined {
    if (!("id" in message) || message.id === null) return undefined;
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    waiting?.resolve(message);
    return waiting?.asked;
  }

  #encoding(): Encoding {
    return this.#socket.protocol === SUBPROTOCOLS.msgpack ? "msgpack" : "json";
  }
}
