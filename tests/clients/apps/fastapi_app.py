"""A FastAPI service for programs: whoever has a token of the hub, and may access the service, is let in (HubAuth)."""
import os
from urllib.parse import urlsplit

import uvicorn
from fastapi import Depends, FastAPI, Header, HTTPException
from jupyterhub.services.auth import HubAuth

PREFIX = os.environ["JUPYTERHUB_SERVICE_PREFIX"]
auth = HubAuth(cache_max_age=1)
app = FastAPI()


def visitor(authorization: str = Header("")):
    scheme, _, token = authorization.partition(" ")
    user = auth.user_for_token(token) if scheme.lower() in ("token", "bearer") and token else None
    if not user:
        raise HTTPException(403, "who are you?")
    if not auth.check_scopes(auth.access_scopes, user):
        raise HTTPException(403, "not for you")
    return user


@app.get(PREFIX + "whoami")
def whoami(user: dict = Depends(visitor)):
    return user


@app.get(PREFIX + "health")
def health():
    return {}


address = urlsplit(os.environ["JUPYTERHUB_SERVICE_URL"])
uvicorn.run(app, host=address.hostname, port=address.port, log_level="warning")
