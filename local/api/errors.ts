/** The errors DigitalOcean answers with: `{id, message, request_id}` and a status. */

/** Thrown by handlers; the server turns it into the response. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly id: string,
    message: string,
  ) {
    super(message);
    this.name = "ApiError";
  }
}

export const badRequest = (message: string) => new ApiError(400, "bad_request", message);

export const unauthorized = () => new ApiError(401, "Unauthorized", "Unable to authenticate you");

export const forbidden = (message: string) => new ApiError(403, "forbidden", message);

export const notFound = (message = "The resource you were accessing could not be found.") =>
  new ApiError(404, "not_found", message);

export const conflict = (message: string) => new ApiError(409, "conflict", message);

export const preconditionFailed = (message: string) =>
  new ApiError(412, "precondition_failed", message);

export const unprocessable = (message: string) =>
  new ApiError(422, "unprocessable_entity", message);

export const tooManyRequests = () =>
  new ApiError(429, "too_many_requests", "API Rate limit exceeded.");

export const serverError = (message: string) => new ApiError(500, "server_error", message);

/** A Droplet takes one event at a time; official clients retry on exactly this sentence. */
export const pendingEvent = () => unprocessable("Droplet already has a pending event.");

/** The state directory cannot be used. The message is one sentence with the remedy. */
export class StateError extends Error {
  override readonly name = "StateError";
}
