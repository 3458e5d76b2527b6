"""The real google-api-python-client, made from Google's description, against the simulator."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import google_auth_httplib2
import httplib2
import pytest
from google.oauth2.service_account import Credentials
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

from fcm_simulator.fcm import outcomes
from fcm_simulator.process import SimulatedFcm
from harness import keep_home

pytestmark = pytest.mark.xdist_group("google clients")

PARENT = "projects/shop-1"
SCOPE = "https://www.googleapis.com/auth/firebase.messaging"


@pytest.fixture
def projects(fcm: SimulatedFcm, key_file: Path) -> Iterator[Any]:
    made = Credentials.from_service_account_file(str(key_file), scopes=[SCOPE])
    http = httplib2.Http(ca_certs=fcm.ca_file)
    service = build(
        "fcm",
        "v1",
        http=google_auth_httplib2.AuthorizedHttp(keep_home(made), http=http),
        static_discovery=True,
        client_options={"api_endpoint": fcm.base_url},
    )
    yield service.projects()
    service.close()


def send(projects: Any, token: str, **more: Any) -> Any:
    body = {"message": {"token": token}, **more}
    return projects.messages().send(parent=PARENT, body=body).execute()


def test_it_sends(fcm: SimulatedFcm, projects: Any) -> None:
    assert send(projects, "token-1")["name"].startswith(f"{PARENT}/messages/")
    assert send(projects, "token-1", validateOnly=True)["name"].endswith("/fake_message_id")
    assert fcm.stats()["accepted"] == 1


def test_it_is_told_every_answer_as_google_tells_it(fcm: SimulatedFcm, projects: Any) -> None:
    fcm.faults(retry_after=0)
    for name in sorted(outcomes.ANSWERS):
        told = outcomes.answer(name, "shop-1", None)
        with pytest.raises(HttpError) as raised:
            send(projects, f"{name}-1")
        assert (raised.value.status_code, raised.value.content) == (told.status, told.body), name
        if told.body.startswith(b"{"):
            error = json.loads(told.body)["error"]
            assert raised.value.reason == error["message"]
            assert raised.value.error_details == error.get("details", error["message"])


def test_it_follows_topics(fcm: SimulatedFcm, projects: Any) -> None:
    topics = projects.registrations().topicSubscriptions()
    parent = f"{PARENT}/registrations/F1:APA91b"
    for topic in ("a", "b", "c"):
        made = topics.create(parent=parent, topicName=topic, body={}).execute()
        assert made["name"] == f"{parent}/topicSubscriptions/{topic}"
        assert topics.get(name=made["name"]).execute() == made
    with pytest.raises(HttpError) as raised:
        topics.create(parent=parent, topicName="a", body={}).execute()
    assert raised.value.status_code == 409

    found, request = [], topics.list(parent=parent, pageSize=2)
    while request is not None:
        page = request.execute()
        found.append([one["topicName"] for one in page["topicSubscriptions"]])
        request = topics.list_next(request, page)
    assert found == [["a", "b"], ["c"]]

    missing = f"{parent}/topicSubscriptions/d"
    for call in (topics.get, topics.delete):
        with pytest.raises(HttpError) as raised:
            call(name=missing).execute()
        assert raised.value.status_code == 404
    assert topics.delete(name=missing, allowMissing=True).execute() == {}
    topics.patch(name=missing, allowMissing=True, body={}).execute()
    assert topics.delete(name=missing).execute() == {}
    assert fcm.stats()["topics"] == 3
