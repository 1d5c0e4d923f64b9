import type { Client } from "openapi-fetch";
import type { paths } from "./generated/http.ts";
import type { Credentials } from "./types.ts";

export interface ApiOptions {
  readonly url: string;
  readonly credentials?: Credentials;
  readonly fetch?: typeof fetch;
}

/**
 * All of HTTP, typed by the server's own description: `api.GET("/api/rooms/{room}", {params: {path: {room}}})`
 * resolves with the answer's data and throws `ApiError` for everything else, with the server's code.
 */
export interface Api {
  /** openapi-fetch's client: `{data, error, response}`. */
  readonly raw: Client<paths>;
  /** The data of an answer, or throws `ApiError`: `await api.data(api.raw.GET(…))`. */
  data<T>(answer: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T>;
  /** NDJSON line by line: of bisect, watch, phrases, search, blame with stream, replay. Ends early by `signal`. */
  lines<T>(method: "GET" | "POST", path: string, options?: LinesOptions): AsyncIterable<T>;
  /** A file of the server as a Blob with its name: exports, plots, the replay page. */
  file(path: string, query?: Query): Promise<{ blob: Blob; name: string }>;
}

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export interface LinesOptions {
  readonly query?: Query;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

export function openApi(options: ApiOptions): Api {
  throw new Error(`not written yet: ${options.url}`);
}
