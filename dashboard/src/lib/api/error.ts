// A refusal of the Management API, or what became of a request without an answer.
export class ApiError extends Error {
  constructor(
    /** The HTTP status; 0 when there was no answer. */
    readonly status: number,
    /** The stable code of the refusal. */
    readonly code: string,
    message: string,
    readonly requestId = '',
    /** Seconds after which the request may be sent again. */
    readonly retryAfter = 0,
    readonly details: Record<string, unknown> = {},
  ) {
    super(message)
    this.name = 'ApiError'
  }

  /** Whether the same request can succeed later. */
  get temporary() {
    return this.status === 0 || this.status === 429 || this.status >= 500
  }
}

export async function refusalOf(response: Response, body: unknown): Promise<ApiError> {
  const fields = typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {}
  const text = (name: string) => (typeof fields[name] === 'string' ? (fields[name] as string) : '')
  return new ApiError(
    response.status,
    text('code') || text('error_code') || `http_${response.status}`,
    text('message') || text('msg') || response.statusText || `Status ${response.status}`,
    response.headers.get('X-Request-Id') ?? '',
    Number(response.headers.get('Retry-After')) || 0,
    fields,
  )
}

/** The error as one that pages can show. */
export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error
  const message = error instanceof Error ? error.message : String(error)
  return new ApiError(0, error instanceof TypeError ? 'no_answer' : 'unexpected', message)
}
