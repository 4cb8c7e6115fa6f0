"""A tornado service as the manual of JupyterHub shows it: pages for people who sign in through the hub, a form, a logout;
an endpoint for programs with tokens."""
import os
from urllib.parse import urlsplit

from jupyterhub.services.auth import HubAuth, HubAuthenticated, HubOAuth, HubOAuthCallbackHandler, HubOAuthenticated
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.web import Application, RequestHandler, authenticated

PREFIX = os.environ["JUPYTERHUB_SERVICE_PREFIX"]


class Page(HubOAuthenticated, RequestHandler):
    @authenticated
    def get(self):
        self.xsrf_token
        self.write({"user": self.current_user["name"], "scopes": self.current_user["scopes"]})

    @authenticated
    def post(self):
        self.write({"user": self.current_user["name"], "said": self.get_argument("say")})


class Programs(HubAuthenticated, RequestHandler):
    hub_auth = HubAuth()

    @authenticated
    def get(self):
        self.write({"user": self.current_user["name"]})


class Logout(RequestHandler):
    def get(self):
        HubOAuth.instance().clear_cookie(self)
        self.redirect(HubOAuth.instance().hub_host + HubOAuth.instance().hub_prefix + "logout")


class Health(RequestHandler):
    def get(self):
        self.write("")


address = urlsplit(os.environ["JUPYTERHUB_SERVICE_URL"])
application = Application(
    [
        (PREFIX, Page),
        (PREFIX + "programs", Programs),
        (PREFIX + "logout", Logout),
        (PREFIX + "oauth_callback", HubOAuthCallbackHandler),
        (PREFIX + "health", Health),
    ],
    cookie_secret=os.urandom(32),
    xsrf_cookies=True,
    xsrf_cookie_kwargs={"path": PREFIX},
)
HTTPServer(application).listen(address.port, address.hostname)
IOLoop.current().start()
