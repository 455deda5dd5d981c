"""A FastAPI dependency that lets in who has a token, and tells whose it is. See README.md and app.py."""

import logging

from fastapi import HTTPException, Request
from fastapi.responses import JSONResponse
from token_verifier import TokenVerifier, Verdict

log = logging.getLogger("token_verifier")
verifier = TokenVerifier(require_auth=True)  # of API_TOKENS_FILE, else ./api_tokens.json

# By reason: the status, the code, the error of the challenge, and what the client is told, which is the
# same for a token that was revoked, has expired or never was.
REFUSALS = {
    "unavailable": (503, "verifier_unavailable", "", "API keys cannot be checked at the moment. Try again later."),
    "scope": (403, "insufficient_scope", "insufficient_scope", "This API key is not allowed to do that."),
    "missing": (
        401,
        "missing_api_key",
        "",
        'No API key was provided. Send it in the header "Authorization: Bearer YOUR_API_KEY".',
    ),
}
ANY_OTHER = (
    401,
    "invalid_api_key",
    "invalid_token",
    "Invalid API key provided. It may be mistyped, belong to another server, or no longer be valid.",
)


class Refused(HTTPException):
    """Its detail is the whole body: give the app `answer_refused`, or FastAPI puts it below "detail"."""


def token(*scopes: str):
    """For Depends: a token that has all of these scopes."""

    def dependency(request: Request) -> Verdict:
        verdict = verifier.check(headers=request.headers.raw, scopes=scopes)
        if verdict:
            return verdict
        log.warning("refused reason=%s id=%s: %s", verdict.reason, verdict.refused_id, verdict.message)
        status, code, error, message = REFUSALS.get(verdict.reason, ANY_OTHER)
        if verdict.reason == "malformed" or verdict.reason.endswith("_not_token"):
            message = "Invalid API key provided: %s." % verdict.message  # what its shape alone tells
        challenge = 'Bearer realm="api"' + (', error="%s"' % error if error else "")
        if status == 403:
            challenge += ', scope="%s"' % " ".join(scopes)
        headers = {"Cache-Control": "no-store", **({"WWW-Authenticate": challenge} if status < 500 else {})}
        kind = "server_error" if status >= 500 else "invalid_request_error"
        error = {"message": message, "type": kind, "param": None, "code": code}
        raise Refused(status, {"error": error}, headers)

    return dependency


async def answer_refused(_: Request, refused: Refused) -> JSONResponse:
    return JSONResponse(refused.detail, refused.status_code, refused.headers)
