"""An identity provider on pySAML2: pages for login and logout, and its messages.

Arguments: a folder with key.pem, cert.pem, people.json and service*.xml, and a port.
"""
import glob
import html
import json
import os
import secrets
import sys
import threading
import traceback
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT
from saml2.authn_context import PASSWORD
from saml2.config import IdPConfig
from saml2.metadata import create_metadata_string
from saml2.saml import NAME_FORMAT_URI, NAMEID_FORMAT_EMAILADDRESS, NameID
from saml2.samlp import STATUS_SUCCESS, response_from_string
from saml2.server import Server
from saml2.sigver import verify_redirect_signature
from saml2.xmldsig import DIGEST_SHA256, SIG_RSA_SHA256

folder, port = sys.argv[1], int(sys.argv[2])
base = f"http://127.0.0.1:{port}"
cookie_name = "pysaml2"


def path(name):
    return os.path.join(folder, name)


people = json.load(open(path("people.json")))
config = IdPConfig().load({
    "entityid": f"{base}/metadata",
    "service": {"idp": {
        "endpoints": {
            "single_sign_on_service": [(f"{base}/sso", BINDING_HTTP_REDIRECT)],
            "single_logout_service": [(f"{base}/slo", BINDING_HTTP_REDIRECT)],
        },
        "name_id_format": [NAMEID_FORMAT_EMAILADDRESS],
        "policy": {"default": {"lifetime": {"minutes": 5}, "attribute_restrictions": None, "name_form": NAME_FORMAT_URI}},
        "want_authn_requests_signed": False,  # the library checks signatures inside of messages alone; verified() checks them
        "sign_response": False, "sign_assertion": True,
        "signing_algorithm": SIG_RSA_SHA256, "digest_algorithm": DIGEST_SHA256,
    }},
    "key_file": path("key.pem"), "cert_file": path("cert.pem"),
    "encryption_keypairs": [{"key_file": path("key.pem"), "cert_file": path("cert.pem")}],
    "xmlsec_binary": "/usr/bin/xmlsec1",
    "metadata": {"local": sorted(glob.glob(path("service*.xml")))},
})
idp = Server(config=config)
lock = threading.Lock()
sessions = {}  # by the value of the cookie
begun = {}  # requests whose user logs in at the moment


class Refused(Exception):
    """What is wrong with a request."""


def verified(message, query, role="spsso"):
    """Checks the signature of a message by redirect, with the keys of the sender's metadata."""
    if "Signature" not in query:
        raise Refused("The message is not signed")
    fields = {k: v for k, v in query.items() if k in ("SAMLRequest", "SAMLResponse", "RelayState", "SigAlg", "Signature")}
    certificates = idp.metadata.certs(message.issuer.text, role, "signing")
    if not any(verify_redirect_signature(fields, idp.sec.sec_backend, certificate) for certificate in certificates):
        raise Refused("The signature of the message is wrong")


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer(dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True)))

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        self.answer(dict(parse_qsl(body, keep_blank_values=True)))

    def answer(self, fields):
        route = {
            "/metadata": self.metadata, "/sso": self.sso, "/login": self.login, "/portal": self.portal, "/slo": self.slo, "/logout": self.logout,
        }.get(urlsplit(self.path).path)
        if not route:
            return self.send_error(404)
        try:
            with lock:
                route(fields)
        except Exception as problem:  # shown, whatever it is
            traceback.print_exc()
            self.page("Refused", f"<p>{html.escape(type(problem).__name__)}: {html.escape(str(problem))}</p>", status=400)

    def page(self, title, body, status=200, headers=()):
        self.send(status, f"<!DOCTYPE html><title>{title}</title><h1>{title}</h1>{body}", "text/html; charset=utf-8", headers)

    def send(self, status, text, kind, headers=()):
        self.send_response(status)
        for name, value in [("Content-Type", kind), ("Content-Length", str(len(text.encode()))), ("Cache-Control", "no-store"), *headers]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())

    def session(self):
        morsel = SimpleCookie(self.headers.get("cookie", "")).get(cookie_name)
        return sessions.get(morsel.value) if morsel else None

    def metadata(self, _):
        self.send(200, create_metadata_string(None, config=config, valid="48").decode(), "application/samlmetadata+xml")

    def sso(self, query):
        request = idp.parse_authn_request(query["SAMLRequest"], BINDING_HTTP_REDIRECT).message
        verified(request, query)
        self.identify({"request": request, "service": request.issuer.text, "relay": query.get("RelayState", "")})

    def portal(self, query):
        """Signs in without a request."""
        self.identify({"request": None, "service": query["service"], "relay": query.get("RelayState", "")})

    def identify(self, asked):
        session = self.session()
        if session:
            return self.respond(asked, session)
        key = secrets.token_urlsafe()
        begun[key] = asked
        self.form(key)

    def form(self, key, message=""):
        self.page("Log in", f"""<p>{message}</p><form method=post action=/login><input type=hidden name=key value="{key}">
            <input name=login> <input name=password type=password> <button>Log in</button></form>""")

    def login(self, form):
        person = people.get(form.get("login"))
        if not person or person["password"] != form.get("password"):
            return self.form(form["key"], "The login or the password is wrong.")
        cookie = secrets.token_urlsafe()
        sessions[cookie] = session = {"cookie": cookie, "login": form["login"], "services": []}
        self.respond(begun.pop(form["key"]), session, [("Set-Cookie", f"{cookie_name}={cookie}; Path=/; HttpOnly; SameSite=Lax")])

    def respond(self, asked, session, headers=()):
        person, request = people[session["login"]], asked["request"]
        policy = request.name_id_policy if request else None
        name = None
        if not (policy and policy.format) or policy.format == NAMEID_FORMAT_EMAILADDRESS:
            name = NameID(format=NAMEID_FORMAT_EMAILADDRESS, text=person["email"])
        binding, destination = idp.pick_binding("assertion_consumer_service", [BINDING_HTTP_POST], "spsso", entity_id=asked["service"])
        response = idp.create_authn_response(
            {"mail": [person["email"]], "displayName": [person["name"]], "isMemberOf": person["groups"]},
            request.id if request else None, destination, asked["service"], name_id_policy=policy, name_id=name, userid=session["login"],
            authn={"class_ref": PASSWORD, "authn_auth": base},
            sign_response=False, sign_assertion=True, encrypt_assertion=os.path.exists(path("encrypt")),
        )
        for assertion in response_from_string(str(response)).assertion:
            session["services"].append({
                "service": asked["service"], "name": assertion.subject.name_id, "index": assertion.authn_statement[0].session_index,
            })
        info = idp.apply_binding(binding, str(response), destination, asked["relay"], response=True)
        self.send(200, info["data"], "text/html; charset=utf-8", headers)

    def slo(self, query):
        if "SAMLResponse" in query:
            return self.ended(query)
        request = idp.parse_logout_request(query["SAMLRequest"], BINDING_HTTP_REDIRECT).message
        verified(request, query)
        indexes = [index.text for index in request.session_index]
        for session in list(sessions.values()):
            for used in session["services"]:
                if used["service"] == request.issuer.text and used["name"].text == request.name_id.text and used["index"] in indexes:
                    session["services"].remove(used)
                    session["answer"] = (request, query.get("RelayState", ""))
                    return self.end(session)
        self.reply(request, query.get("RelayState", ""))

    def reply(self, request, relay):
        response = idp.create_logout_response(request, [BINDING_HTTP_REDIRECT], sign=False)
        self.forward(str(response), response.destination, relay, response=True)

    def logout(self, _):
        """Logs out here and at the services."""
        session = self.session()
        if not session:
            return self.page("Logged out", "")
        self.end(session)

    def end(self, session):
        """Logs out at the services, one after the other, and then here."""
        if not session["services"]:
            sessions.pop(session["cookie"], None)
            if "answer" in session:
                return self.reply(*session["answer"])
            return self.page("Logged out", "")
        used = session["services"].pop()
        _, destination = idp.pick_binding("single_logout_service", [BINDING_HTTP_REDIRECT], "spsso", entity_id=used["service"])
        _, request = idp.create_logout_request(destination, used["service"], name_id=used["name"], session_indexes=[used["index"]], sign=False)
        session["asked"] = request.id
        self.forward(str(request), destination, "")

    def ended(self, query):
        session = self.session()
        response = idp.parse_logout_request_response(query["SAMLResponse"], BINDING_HTTP_REDIRECT)
        verified(response.response, query)
        if not session or response.in_response_to != session["asked"]:
            raise Refused("The answer is to another request")
        if response.response.status.status_code.value != STATUS_SUCCESS:
            raise Refused("The service did not log out")
        self.end(session)

    def forward(self, message, destination, relay, response=False):
        info = idp.apply_binding(BINDING_HTTP_REDIRECT, message, destination, relay, response=response, sign=True, sigalg=SIG_RSA_SHA256)
        self.send(303, "", "text/plain", [("Location", dict(info["headers"])["Location"])])


ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
