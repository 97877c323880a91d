/** What a request is answered with in place of what it asks for. */
export class HttpError extends Error {
  readonly status: number;
  /** Further headers. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}
