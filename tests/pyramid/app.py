"""The counter and the login site as Pyramid programs them, to share sessions with Sitewright.

    app.py SITE...

Each SITE is a JSON object, the arguments of SignedCookieSessionFactory; each is served on a port
of its own, printed on a line of its own. With `trusted_origins` beside them, its views want a CSRF
token. `app.py --hashalgs` prints what `hashalg` may be instead.

Beside the two sites there are views that show and change the whole session, and a request may say
how far ahead the session's clock is, in seconds: `Clock-Ahead: 1300`.

The program ends when its standard input does, so it never outlives the test that started it.
"""

import hashlib
import hmac
import json
import logging
import sys
import threading
import time

import pyramid.session
import waitress
from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPFound
from pyramid.response import Response
from pyramid.session import SignedCookieSessionFactory
from webob.cookies import SignedSerializer


# The quick tutorial, step 17.


class TutorialViews:
    def __init__(self, request):
        self.request = request

    @property
    def counter(self):
        session = self.request.session
        if 'counter' in session:
            session['counter'] += 1
        else:
            session['counter'] = 1
        return session['counter']

    def home(self):
        return page(f'<h1>Hi Home View</h1><p>Count: {self.counter}</p>')

    def hello(self):
        return page(f'<h1>Hi Hello View</h1><p>Count: {self.counter}</p>')


def tutorial(config):
    view(config, '/', TutorialViews, attr='home')
    view(config, '/howdy', TutorialViews, attr='hello')


# The login site.


def form(request):
    return page('<form action="/login/add"><input type="text" name="user"><input type="submit"></form>')


def add(request):
    request.session['user'] = request.params['user']
    return page('<h2>Session object added.</h2>')


def read(request):
    if 'user' not in request.session:
        return HTTPFound('/login')
    return page('<h2>Welcome ' + request.session['user'] + '</h2>')


def logout(request):
    request.session.pop('user', None)
    return page('<h2>You have been logged out</h2>')


def login(config):
    view(config, '/login', form)
    view(config, '/login/add', add)
    view(config, '/login/read', read)
    view(config, '/login/logout', logout)


# The session, whole.


def show(request):
    return Response(json.dumps(dict(request.session)), content_type='application/json', charset='UTF-8')


def store(request):
    request.session.update(json.loads(request.body))
    return show(request)


def invalidate(request):
    request.session.invalidate()
    return show(request)


def flash(request):
    request.session.flash(request.params['message'], request.params.get('queue', ''))
    return show(request)


def pop_flash(request):
    return page(' '.join(request.session.pop_flash(request.params.get('queue', ''))))


def csrf_token(request):
    return page(request.session.get_csrf_token())


def whole_session(config):
    view(config, '/session', show)
    view(config, '/store', store)
    view(config, '/invalidate', invalidate)
    view(config, '/flash', flash)
    view(config, '/pop-flash', pop_flash)
    view(config, '/csrf-token', csrf_token)


# Cookies that no server would write, signed all the same.


class AsItIs:
    """A serializer for payloads that are spelled already."""

    def dumps(self, payload):
        return payload

    def loads(self, payload):
        return payload


def signer(options):
    key = {'salt': 'pyramid.session.', 'hashalg': 'sha512'}
    key.update((name, options[name]) for name in ('secret', 'salt', 'hashalg') if name in options)
    serializer = SignedSerializer(**key, serializer=AsItIs())

    def sign(request):
        return Response(serializer.dumps(request.body), content_type='text/plain')

    return sign


# The program.


class Clock(threading.local):
    """Stands in for the module `time` in `pyramid.session`."""

    ahead = 0.0

    def time(self):
        return time.time() + self.ahead


def with_clock(app, clock):
    def at_its_time(environ, start_response):
        clock.ahead = float(environ.get('HTTP_CLOCK_AHEAD', 0))
        return app(environ, start_response)

    return at_its_time


def page(body):
    return Response(f'<!DOCTYPE html><html lang="en"><body>{body}</body></html>')


def view(config, path, callable, **options):
    name = path + options.get('attr', '')
    config.add_route(name, path)
    config.add_view(callable, route_name=name, **options)


def site(options):
    trusted = options.pop('trusted_origins', None)
    settings = {'pyramid.csrf_trusted_origins': trusted or []}
    with Configurator(settings=settings, session_factory=SignedCookieSessionFactory(**options)) as config:
        if trusted is not None:
            config.set_default_csrf_options(require_csrf=True)
        for part in (tutorial, login, whole_session):
            config.include(part)
        view(config, '/sign', signer(options))
        return config.make_wsgi_app()


def serve(app):
    # A test that did not want a 500 shows its body.
    server = waitress.create_server(
        app, listen='127.0.0.1:0', threads=1, expose_tracebacks=True,
        trusted_proxy='127.0.0.1', trusted_proxy_headers={'x-forwarded-proto'},
    )
    threading.Thread(target=server.run, daemon=True).start()
    return server.effective_port


def hashalgs():
    """Every hash that HMAC can use: it has a digest of fixed size."""
    for name in sorted(hashlib.algorithms_available):
        try:
            hmac.new(b'key', b'message', name)
        except (ValueError, TypeError):
            continue
        yield name


def main(arguments):
    if arguments == ['--hashalgs']:
        print(*hashalgs(), sep='\n')
        return
    logging.disable()
    clock = pyramid.session.time = Clock()
    for argument in arguments:
        print(serve(with_clock(site(json.loads(argument)), clock)), flush=True)
    sys.stdin.read()


if __name__ == '__main__':
    main(sys.argv[1:])
