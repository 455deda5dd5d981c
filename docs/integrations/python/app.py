"""An API for those who have a token: uvicorn app:app"""

from fastapi import Depends, FastAPI
from fastapi_auth import Refused, answer_refused, token
from token_verifier import Verdict

anybody = token()
with_models = token("models")

# For all paths of FastAPI's own, so that one that is added later is protected, too. FastAPI's pages about
# the API would not be, and neither are @app.websocket, app.mount and app.add_route: see README.md.
app = FastAPI(dependencies=[Depends(anybody)], docs_url=None, redoc_url=None, openapi_url=None)
app.add_exception_handler(Refused, answer_refused)


@app.get("/v1/whoami")
def whoami(who: Verdict = Depends(anybody)):
    return {"id": who.id, "name": who.name, "scopes": who.scopes, "mode": who.mode}


@app.get("/v1/models")
def models(who: Verdict = Depends(with_models)):
    return {"data": [], "for": who.name}
