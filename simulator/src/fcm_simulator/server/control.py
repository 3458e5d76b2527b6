"""The control side, for whoever tests a sender. No I/O.

GET   /simulator/                        the last pushes as a phone shows them (`phone_page`)
GET   /simulator/stats                   counts: requests, replies by name, accepted, distinct
                                         and repeated pushes (by `data.clarion_push`, else by
                                         token), connections, access tokens granted
GET   /simulator/messages?after=&limit=  what was accepted, oldest first, numbered from 1
POST  /simulator/registrations           list a registration, or an array of them
GET   /simulator/registrations?after=&limit=     those who are listed, numbered from 1
GET   /simulator/registrations/{token or FID}    one of them
PATCH /simulator/registrations/{token or FID}    change it (`registrations.Change`)
POST  /simulator/reset                   forget counts, messages, orders and topics; listed is
                                         again who was at the start
POST  /simulator/faults                  order trouble; what is not named stays as it is:
    outage_seconds      503 for so long            throttle_next   429 for the next n pushes
    retry_after         seconds, with 429; 0: no   retry_after_date   true: as an HTTP date
                        such header                outage_retry_after   the same with 503
    latency_ms          a number, or {"median":    slow_ms         for `slow`
                        50, "p99": 400}
    plan                ["internal", "ok", …]: what happens to the next pushes, in turn: names
                        of `outcomes`
    rates               {"internal": 0.01, …} by chance, `seed` makes it repeatable
    quota_per_minute    per project, full again    device_quota_per_minute   per registration
                        at the end of each minute
    oauth_outage_seconds   /token answers 503      expire_access_tokens   true: all so far
    token_seconds       how long those to come     are good for
"""

from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from time import time
from typing import Any
from urllib.parse import parse_qs

import msgspec

from fcm_simulator.fcm import answers
from fcm_simulator.fcm.answers import Reply
from fcm_simulator.fcm.faults import Orders
from fcm_simulator.fcm.outcomes import Trouble
from fcm_simulator.fcm.registrations import Change, Registration, Registrations
from fcm_simulator.fcm.schema import Schema
from fcm_simulator.fcm.simulation import Fcm
from fcm_simulator.oauth import TokenEndpoint
from fcm_simulator.server import phone_page

ROOT = "/simulator/"
PAGE = 100
PAGE_MAX = 10_000
NO_HTTP2_FAULTS = Reply(
    501,
    b'{"error":"goaway and refused need the option --http2-faults, and HTTP/2"}',
    name="no_front",
)

_DONE = Reply(200, b'{"success":true}')
_HTTP2_FAULTS = frozenset({Trouble.GOAWAY, Trouble.REFUSED})
_REGISTRATIONS = "registrations"


class State:
    """Everything that the simulator knows."""

    def __init__(
        self,
        data_dir: Path,
        *,
        schema: Schema,
        seed: Iterable[Registration] = (),
        is_strict: bool = False,
        has_http2_faults: bool = False,
    ) -> None:
        self._seed = tuple(seed)
        self.tokens = TokenEndpoint(data_dir)
        self.connections: set[Any] = set()
        self.has_http2_faults = has_http2_faults
        self.fcm = Fcm(schema, Registrations(is_strict))
        self.forget()

    def forget(self) -> None:
        """Counts, messages, orders and topics; listed is who was at the start."""
        self.fcm = self.fcm.fresh(
            msgspec.structs.replace(registration) for registration in self._seed
        )
        self.tokens.forget_orders()
        self.connections.clear()

    def stats(self) -> dict[str, Any]:
        return {
            **self.fcm.stats(),
            "connections": len(self.connections),
            "token_requests": self.tokens.requests,
            "grants": self.tokens.grants,
        }


def answer(state: State, method: str, path: str, query_string: bytes, body: bytes) -> Reply:
    what, _, name = path.removeprefix(ROOT).partition("/")
    match method, what, name:
        case "GET", "", "":
            return _phone(state, query_string)
        case "GET", "stats", "":
            return _json(state.stats())
        case "GET", "messages", "":
            return _messages(state, query_string)
        case "POST", "faults", "":
            return _order(state, body)
        case "POST", "reset", "":
            state.forget()
            return _DONE
        case "POST", "registrations", "":
            return _list(state, body)
        case "GET", "registrations", "":
            return _listed(state, query_string)
        case (("GET" | "PATCH"), "registrations", str()):
            registration = state.fcm.registrations.find(name)
            if registration is None:
                return answers.missing()
            return _json(registration) if method == "GET" else _change(state, registration, body)
    return answers.not_found()


def _messages(state: State, query_string: bytes) -> Reply:
    page = _page(query_string)
    if isinstance(page, Reply):
        return page
    after, limit = page
    later = (message for message in state.fcm.messages if message["number"] > after)
    return _json({"messages": list(islice(later, limit))})


def _phone(state: State, query_string: bytes) -> Reply:
    newest = islice(reversed(state.fcm.messages), phone_page.PUSHES_SHOWN)
    find = state.fcm.registrations.find
    pushes = (
        (message, listed.platform if (listed := find(message["token"])) else None)
        for message in newest
    )
    text = phone_page.page(pushes, state.fcm.stats(), is_still=b"still" in query_string)
    policy = (b"content-security-policy", phone_page.POLICY.encode())
    return Reply(200, text, is_html=True, headers=(policy,))


def _order(state: State, body: bytes) -> Reply:
    try:
        orders = msgspec.json.decode(body, type=Orders)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return answers.invalid_json(("faults", str(error)))
    if not state.has_http2_faults and _HTTP2_FAULTS & {*(orders.plan or ()), *(orders.rates or ())}:
        return answers.invalid_json(("faults", "goaway and refused need the option --http2-faults"))
    state.fcm.faults.order(orders, time())
    if orders.token_seconds is not None:
        state.tokens.token_seconds = orders.token_seconds
    if orders.oauth_refuses is not None:
        state.tokens.refusal = orders.oauth_refuses
    if orders.expire_access_tokens:
        state.tokens.expire()
    return _DONE


def _list(state: State, body: bytes) -> Reply:
    try:
        wire = msgspec.json.decode(body, type=Registration | list[Registration])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return answers.invalid_json((_REGISTRATIONS, str(error)))
    listed = wire if isinstance(wire, list) else [wire]
    return _json({"listed": state.fcm.registrations.add(listed)})


def _listed(state: State, query_string: bytes) -> Reply:
    page = _page(query_string)
    if isinstance(page, Reply):
        return page
    return _json({_REGISTRATIONS: state.fcm.registrations.page(*page)})


def _change(state: State, registration: Registration, body: bytes) -> Reply:
    try:
        change = msgspec.json.decode(body, type=Change)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return answers.invalid_json((_REGISTRATIONS, str(error)))
    state.fcm.registrations.change(registration, change)
    return _json(registration)


def _page(query_string: bytes) -> tuple[int, int] | Reply:
    query = parse_qs(query_string.decode(errors="replace"))
    after, limit = query.get("after", ["0"])[-1], query.get("limit", [str(PAGE)])[-1]
    if not (after.isdecimal() and limit.isdecimal()):
        return answers.invalid_json(("after", "after and limit are numbers."))
    return int(after), min(int(limit), PAGE_MAX)


def _json(wire: Any) -> Reply:
    return Reply(200, msgspec.json.encode(wire))
