/** What can go wrong for a program, as types that carry what is known. */

export class StreamError extends Error {
  constructor(message: string) {
    super(message);
    this.name = new.target.name;
  }
}

/** The hub sent something that is no message of the protocol. */
export class MalformedMessage extends StreamError {}

/** The hub ended the connection in a way that forbids to come back unchanged. */
export class StreamRefused extends StreamError {
  constructor(
    readonly reason: string,
    readonly code: number | null = null,
  ) {
    super(code === null ? reason : `${reason} (close code ${code})`);
  }
}

/** The hub does not take our token, or took it away. */
export class Unauthorized extends StreamRefused {}

/** A newer connection with the same session name lives; this one must not come back. */
export class TakenOver extends StreamRefused {}

/** The stream was closed by its owner. */
export class StreamClosed extends StreamError {
  constructor() {
    super("the stream is closed");
  }
}

/** The hub answered a command with an error. */
export class CommandRefused extends StreamError {
  constructor(
    readonly reason: string,
    message: string,
  ) {
    super(`${reason}: ${message}`);
  }
}

/** No answer to a command came in time, over all connections tried. */
export class CommandTimedOut extends StreamError {
  constructor(
    readonly command: string,
    readonly afterMs: number,
    why: string,
  ) {
    super(`no answer to ${command} within ${afterMs} ms${why ? ` (${why})` : ""}`);
  }
}
