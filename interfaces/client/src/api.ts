/** All of HTTP, typed by the server's own description (generated/http.ts). */

import createClient, { type Client } from "openapi-fetch";
import { ApiError } from "./errors.ts";
import type { paths } from "./generated/http.ts";
import type { Credentials } from "./types.ts";

/** A question that reads is asked again so often when the server is busy, as long as it does not ask for more... */
const TRIES = 3;
/** ...patience than this. */
const PATIENCE_SECONDS = 5;

export interface ApiOptions {
  readonly url: string;
  readonly credentials?: Credentials;
  readonly fetch?: typeof fetch;
}

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export interface LinesOptions {
  readonly query?: Query;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

/** What openapi-fetch resolves with. */
interface Answer {
  readonly data?: unknown;
  readonly error?: unknown;
  readonly response: Response;
}

export interface Api {
  /** openapi-fetch's client: `{data, error, response}`. */
  readonly raw: Client<paths>;
  /** The data of an answer, or throws `ApiError`: `await api.data(api.raw.GET(…))`. */
  data<A extends Answer>(answer: Promise<A>): Promise<NonNullable<A["data"]>>;
  /** NDJSON line by line: of bisect, watch, phrases, search, blame with stream, replay. Ends early by `signal`. */
  lines<T>(method: "GET" | "POST", path: string, options?: LinesOptions): AsyncIterable<T>;
  /** A file of the server as a Blob with its name: exports, plots, the replay page. */
  file(path: string, query?: Query): Promise<{ blob: Blob; name: string }>;
}

export function openApi(options: ApiOptions): Api {
  const url = options.url.replace(/\/+$/, "");
  const send = authorised(options);
  const raw = createClient<paths>({
    baseUrl: url,
    fetch: send,
    querySerializer: { array: { style: "form", explode: true } },
  });
  return {
    raw,
    data: async (answer) => {
      const { data, error, response } = await reached(answer);
      if (!response.ok) throw asError(response.status, (error ?? {}) as Record<string, unknown>);
      return data as NonNullable<typeof data>;
    },
    lines: (method, path, wanted = {}) =>
      linesOf(send, method, `${url}${path}${queryOf(wanted.query)}`, wanted),
    file: async (path, query) => {
      const response = await reached(send(new Request(`${url}${path}${queryOf(query)}`)));
      if (!response.ok) throw await problemOf(response);
      return { blob: await response.blob(), name: nameOf(response) };
    },
  };
}

/** `fetch` with the token, another one when it was refused, and patience with a server that is busy. */
function authorised({ credentials, fetch: given }: ApiOptions): (request: Request) => Promise<Response> {
  const plain = given ?? ((input: Request) => globalThis.fetch(input));
  const once = async (request: Request): Promise<Response> => {
    const headers = new Headers(request.headers);
    if (credentials) headers.set("Authorization", `Bearer ${await credentials.token()}`);
    return plain(new Request(request, { headers }));
  };
  return async (request) => {
    for (let attempt = 1; ; attempt++) {
      const again = request.clone();
      let response = await once(request.clone());
      if (response.status === 401 && credentials?.onRefused && attempt === 1) {
        credentials.onRefused();
        response = await once(again);
      }
      const patience = Number(response.headers.get("Retry-After") ?? Number.POSITIVE_INFINITY);
      const isBusy = response.status === 429 || response.status === 503;
      if (!isBusy || request.method !== "GET" || attempt >= TRIES || patience > PATIENCE_SECONDS)
        return response;
      await new Promise((resolve) => setTimeout(resolve, patience * 1_000));
    }
  };
}

function reached<T>(answer: Promise<T>): Promise<T> {
  return answer.catch((error: unknown) => {
    throw unreachable(error);
  });
}

/** What `fetch` throws says nothing to a person; what ends a question on purpose is handed on. */
function unreachable(error: unknown): unknown {
  if (error instanceof Error && (error.name === "AbortError" || error instanceof ApiError)) return error;
  return new ApiError(0, "E_NETWORK", "the server cannot be reached");
}

async function problemOf(response: Response): Promise<ApiError> {
  return asError(response.status, (await response.json().catch(() => ({}))) as Record<string, unknown>);
}

function asError(status: number, problem: Record<string, unknown>): ApiError {
  const { code, detail, title, ...facts } = problem;
  return new ApiError(
    status,
    String(code ?? `HTTP ${status}`),
    String(detail ?? title ?? "the server refused it"),
    facts,
  );
}

async function* linesOf<T>(
  send: (request: Request) => Promise<Response>,
  method: "GET" | "POST",
  address: string,
  { body, signal }: LinesOptions,
): AsyncGenerator<T> {
  const init: RequestInit = { method };
  if (signal) init.signal = signal;
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { "Content-Type": "application/json" };
  }
  const response = await reached(send(new Request(address, init)));
  if (!response.ok) throw await problemOf(response);
  for await (const line of textLines(response)) {
    const told = JSON.parse(line) as { type?: string } & Record<string, unknown>;
    if (told.type === "error") throw asError(200, told);
    yield told as T;
  }
}

async function* textLines(response: Response): AsyncGenerator<string> {
  if (!response.body) {
    // React Native's fetch gives no stream: everything at once, then.
    yield* (await response.text()).split("\n").filter((line) => line !== "");
    return;
  }
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      const lines = (rest + decoder.decode(value, { stream: !done })).split("\n");
      rest = lines.pop()!;
      yield* lines.filter((line) => line !== "");
      if (done) break;
    }
    if (rest !== "") yield rest;
  } finally {
    await reader.cancel().catch(() => {}); // whoever has enough is not told more
  }
}

function queryOf(query: Query = {}): string {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined);
  if (pairs.length === 0) return "";
  return `?${pairs.map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`).join("&")}`;
}

function nameOf(response: Response): string {
  const said = /filename="([^"]+)"/.exec(response.headers.get("Content-Disposition") ?? "");
  return said?.[1] ?? "download";
}
