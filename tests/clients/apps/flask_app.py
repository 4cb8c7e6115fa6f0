"""A Flask service that signs its visitors in with HubOAuth, without tornado's handlers: state, callback and session are
its own."""
import os
from functools import wraps
from urllib.parse import urlsplit

from flask import Flask, Response, jsonify, make_response, redirect, request, session
from jupyterhub.services.auth import HubOAuth

PREFIX = os.environ["JUPYTERHUB_SERVICE_PREFIX"]
auth = HubOAuth(cache_max_age=1)
app = Flask(__name__)
app.secret_key = os.urandom(32)
app.config["SESSION_COOKIE_NAME"] = "flask-session"
app.config["SESSION_COOKIE_PATH"] = PREFIX


def signed_in(page):
    @wraps(page)
    def guarded(*args, **kwargs):
        token = session.get("token")
        user = token and auth.user_for_token(token, session_id=request.cookies.get("jupyterhub-session-id", ""))
        if user:
            return page(user, *args, **kwargs)
        state = auth.generate_state(next_url=request.full_path)
        response = make_response(redirect(auth.login_url + "&state=" + state))
        response.set_cookie(auth.state_cookie_name, state, path=PREFIX, httponly=True)
        return response

    return guarded


@app.route(PREFIX)
@signed_in
def whoami(user):
    return jsonify(user)


@app.route(PREFIX + "oauth_callback")
def callback():
    state = request.args.get("state")
    if not state or state != request.cookies.get(auth.state_cookie_name):
        return Response("the state is not the one that was sent", status=403)
    if "code" not in request.args:
        return Response(request.args.get("error", "no code"), status=403)
    session["token"] = auth.token_for_code(request.args["code"])
    return redirect(auth.get_next_url(state) or PREFIX)


@app.route(PREFIX + "health")
def health():
    return ""


address = urlsplit(os.environ["JUPYTERHUB_SERVICE_URL"])
app.run(address.hostname, address.port)
