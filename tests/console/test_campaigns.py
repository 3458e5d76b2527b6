"""Campaigns by the forms of the console: what is saved, reviewed, approved and tried."""

import re

from clarion.accounts.actor import Role
from console.drafts import FORM, WEEKLY, Person, drafted, hidden, plain
from console.drafts import eva as eva
from console.drafts import service as service
from console.drafts import tom as tom
from console.test_guarded import browser, signed_in
from flow.test_limits import people, set_limits
from support.api import Service


async def test_a_draft_is_saved_while_it_is_written(service: Service, eva: Person) -> None:
    unnamed = await eva.saves(FORM | {"name": ""}, status=422)
    assert "Not saved yet" in unnamed and "campaign_id" not in unnamed
    assert (await service.get("/campaigns"))["data"] == []
    draft, form = await drafted(eva)
    service.clock.advance(5)
    line = await eva.saves(form | {"body": "All that grows"})
    assert "Saved at" in line
    saved = await service.get(f"/campaigns/{draft}")
    assert saved["content"]["body"] == "All that grows"
    half = form | {"updated_at": hidden(line, "updated_at"), "body": "{{ customer.first"}
    wrong = plain(await eva.saves(half, status=422))
    assert "Not saved yet" in wrong and "kept in this tab" in wrong
    assert hidden(wrong, "updated_at") == half["updated_at"]
    assert (await service.get(f"/campaigns/{draft}"))["content"]["body"] == "All that grows"


async def test_of_two_people_on_one_draft_the_second_is_told_who_and_what(
    service: Service, eva: Person, tom: Person
) -> None:
    draft, form = await drafted(eva)
    service.clock.advance(60)
    await tom.saves(form | {"title": "By Tom"})
    told = plain(await eva.saves(form | {"title": "By Eva"}, status=409))
    assert "Somebody else has saved this draft" in told and "It was <bdi>publisher</bdi>" in told
    assert "Theirs:</span> <bdi>By Tom</bdi>" in told and "Yours:</span> <bdi>By Eva</bdi>" in told
    assert "1 field differs" in told
    assert (await service.get(f"/campaigns/{draft}"))["content"]["title"] == "By Tom"
    page = await eva.post(f"/campaigns/{draft}/edit", form | {"title": "By Eva", "anyway": "1"})
    assert "Saved." in page.text
    assert (await service.get(f"/campaigns/{draft}"))["content"]["title"] == "By Eva"


async def test_what_is_launched_meanwhile_is_not_saved_over(service: Service, eva: Person) -> None:
    await service.world.devices("ok-1")
    draft, form = await drafted(eva)
    await service.post(f"/campaigns/{draft}/schedule", {"at": "2026-04-01T08:00:00Z"})
    line = await eva.saves(form, status=422)
    assert "can not be edited" in line


async def test_languages_buttons_and_platforms_are_saved_and_fall_back(
    service: Service, eva: Person
) -> None:
    draft, form = await drafted(eva)
    page = await eva.post(
        f"/campaigns/{draft}/edit", form | {"add_language": "1", "new_language": "de_at"}
    )
    assert 'name="de-AT/title"' in page.text and hidden(page.text, "languages") == "de-AT"
    more = {
        "languages": "de,de-AT",
        "de/title": "Hallo",
        "de/button1.title": "Zum Laden",
        "button1.title": "Open",
        "button1.link": "https://shop.example",
        "Android.channel": "news",
        "iOS.body": "On a phone",
    }
    await eva.saves(form | more)
    content = (await service.get(f"/campaigns/{draft}"))["content"]
    assert content["languages"]["de"] == {"title": "Hallo", "buttons": [{"title": "Zum Laden"}]}
    assert content["buttons"] == [{"title": "Open", "link": "https://shop.example"}]
    assert content["platforms"] == {"Android": {"channel": "news"}, "iOS": {"body": "On a phone"}}
    shown = await eva.get(f"/campaigns/{draft}/edit")
    assert re.search(r'id="f-de-AT/title"[^>]*placeholder="Hallo"', shown)
    assert "says German says" not in shown and "What is empty says what German says" in shown


async def test_a_time_is_kept_shown_as_the_next_five_and_scheduled_at_the_review(
    service: Service, eva: Person
) -> None:
    await service.world.devices("ok-1")
    draft, _ = await drafted(eva, **WEEKLY)
    page = await eva.get(f"/campaigns/{draft}/edit")
    times = page[page.index("The next five times") :]
    assert re.findall(r">(\d+ \w+) 2026, 09:00 CET<", times) == [
        "5 Mar", "12 Mar", "16 Mar", "19 Mar", "23 Mar",
    ]  # fmt: skip
    review = await eva.get(f"/campaigns/{draft}/review?counted=1")
    assert "Schedule for" in review
    await eva.post(f"/campaigns/{draft}/launch", {"launch": "planned", "devices": "1"})
    scheduled = await service.get(f"/campaigns/{draft}")
    assert (scheduled["state"], scheduled["repeat"]["zone"]) == ("scheduled", "Europe/Vienna")
    await eva.post(f"/campaigns/{draft}/unschedule", {})
    assert (await service.get(f"/campaigns/{draft}"))["timing"]["repeat"]["except"] == [
        "2026-03-09"
    ]


async def test_the_review_tells_what_the_limits_would_leave_alone(
    service: Service, eva: Person
) -> None:
    """The same numbers as the API's forecast."""
    await people(service, "ada", "ben", "cyd")
    draft, _ = await drafted(eva)
    assert "by the workspace's limits" not in await eva.get(f"/campaigns/{draft}/review?counted=1")
    quiet = {"start": "00:00", "end": "23:59", "action": "hold"}
    await set_limits(service, exclusions={"user_ids": ["ada"]}, quiet_hours=quiet)
    told = (await service.get(f"/campaigns/{draft}/forecast?at=now"))["limits"]
    assert (told["excluded"], told["held"]) == (1, 2)
    review = await eva.get(f"/campaigns/{draft}/review?counted=1")
    assert "1 device excluded from every campaign" in review
    assert "2 devices sent once quiet hours have ended" in review


async def test_a_time_that_does_not_do_is_told_and_kept(service: Service, eva: Person) -> None:
    past = {"when": "at", "at": "2026-02-01T09:00", "zone": "Europe/Vienna"}
    draft, _ = await drafted(eva, **past)
    page = await eva.get(f"/campaigns/{draft}/edit")
    assert "lies in the past: 2026-03-02T09:00 would do" in page
    assert 'value="2026-02-01T09:00"' in page
    review = await eva.get(f"/campaigns/{draft}/review?counted=1")
    assert "The time it is meant for does not do" in review
    gap = {"when": "at", "at": "2026-03-29T02:30", "zone": "Europe/Vienna"}
    shifted, _ = await drafted(eva, name="Gap", **gap)
    assert "is skipped by the clocks there" in await eva.get(f"/campaigns/{shifted}/edit")


async def test_the_limits_that_hold_are_shown(service: Service, eva: Person) -> None:
    limits = {
        "caps": [{"pushes": 2, "days": 1}, {"pushes": 1, "days": 7, "category": "news"}],
        "quiet_hours": {"start": "22:00", "end": "07:00"},
    }
    assert (await service.ask("PATCH", "/workspace/limits", limits)).status == 200
    draft, _ = await drafted(eva)
    page = await eva.get(f"/campaigns/{draft}/edit")
    assert "At most 2 pushes to one customer in 1 day" in page and "in 7 days" not in page
    assert "Quiet from 22:00 to 07:00" in page
    news, _ = await drafted(eva, name="News", category="news")
    assert "in 7 days" in await eva.get(f"/campaigns/{news}/edit")
    exempt, _ = await drafted(eva, name="Receipt", transactional="1")
    page = await eva.get(f"/campaigns/{exempt}/edit")
    assert "Exempt from caps and quiet hours" in page and "At most 2" not in page


async def test_somebody_else_approves_exactly_what_was_asked_for(
    service: Service, eva: Person, tom: Person
) -> None:
    await service.world.devices("ok-1")
    limits = await service.ask("PATCH", "/workspace/limits", {"needs_approval": True})
    assert limits.status == 200
    draft, form = await drafted(eva)
    review = f"/campaigns/{draft}/review"
    assert "Send to 1 device now" not in await eva.get(f"{review}?counted=1")
    asked = await eva.post(f"/campaigns/{draft}/propose", {"launch": "now"})
    assert "nobody approves what they have asked for" in plain(asked.text)
    assert "Approve for" not in asked.text

    offered = await tom.get(f"{review}?counted=1")
    assert "Approve for 1 device, and send now" in offered
    service.clock.advance(60)
    await eva.saves(form | {"title": "Another", "updated_at": ""})
    stale = await tom.get(f"{review}?counted=1")
    assert "Stale: content, audience, time or limits have changed" in stale
    agreed = {"fingerprint": hidden(offered, "fingerprint"), "devices": "1"}
    assert (await tom.post(f"/campaigns/{draft}/approve", agreed)).status_code == 422

    await eva.post(f"/campaigns/{draft}/propose", {"launch": "now"})
    rejected = await tom.post(f"/campaigns/{draft}/reject", {"comment": "Too loud"})
    assert "Too loud" in rejected.text
    await eva.post(f"/campaigns/{draft}/propose", {"launch": "now"})
    agreed["fingerprint"] = hidden(await tom.get(f"{review}?counted=1"), "fingerprint")
    approved = await tom.post(f"/campaigns/{draft}/approve", agreed)
    assert "Approved: it is scheduled by that." in plain(approved.text)
    assert (await service.get(f"/campaigns/{draft}"))["state"] == "scheduled"


async def test_somebody_else_approves_what_pushes_to_one_customer_say(
    service: Service, eva: Person, tom: Person
) -> None:
    """Also where nobody is in the audience yet: whom a push reaches, each call says."""
    limits = await service.ask("PATCH", "/workspace/limits", {"needs_approval": True})
    assert limits.status == 200
    draft, form = await drafted(eva)
    review = f"/campaigns/{draft}/review?counted=1"
    assert "Ask for it, for pushes to one customer" in await eva.get(review)
    asked = await eva.post(f"/campaigns/{draft}/propose", {"launch": "pushes"})
    assert "to be sent by pushes to one customer" in plain(asked.text)
    offered = await tom.get(review)
    assert "Approve for pushes to one customer" in offered
    agreed = {"fingerprint": hidden(offered, "fingerprint")}
    approved = await tom.post(f"/campaigns/{draft}/approve", agreed)
    assert "pushes to one customer may have its content now" in plain(approved.text)
    view = await service.get(f"/campaigns/{draft}/approval")
    assert (view["at"], view["state"], view["is_stale"]) == ("pushes", "approved", False)
    assert (await service.get(f"/campaigns/{draft}"))["state"] == "draft"

    await eva.saves(form | {"title": "Another", "updated_at": ""})
    assert "Stale" in await tom.get(review)
    assert "Ask for it, for pushes to one customer" in await eva.get(review)


async def test_a_preview_is_of_somebody_at_random_of_nobody_or_of_one(
    service: Service, eva: Person
) -> None:
    key = (await service.get("/sources"))["data"][0]["write_key"]
    traits = {"first_name": "Ada", "plan": "pro"}
    await service.send(
        key,
        {"type": "identify", "messageId": "1", "userId": "ada", "traits": traits},
        {
            "type": "track",
            "event": "Register Push",
            "messageId": "2",
            "userId": "ada",
            "properties": {"deviceId": "d", "fcmToken": "ok-1", "deviceType": "iOS"},
        },
    )
    long = FORM | {"body": "x" * 60, "languages": "de", "de/title": "Hallo"}
    random = plain((await eva.post("/campaigns/preview", long)).text)
    assert "As <bdi>ada</bdi> would see it" in random and "<bdi>Hi Ada</bdi>" in random
    assert "Text 60 of about 49, cut" in random and "<s><span" in random
    nobody = (await eva.post("/campaigns/preview", long | {"seen_by": "nobody"})).text
    assert "<bdi>Hi you</bdi>" in nobody and "somebody without traits" in nobody
    named = long | {"seen_by": "named", "preview_for": "grace"}
    assert "is nobody&#39;s here" in (await eva.post("/campaigns/preview", named)).text
    german = (await eva.post("/campaigns/preview", long | {"preview_language": "de"})).text
    assert "<bdi>Hallo</bdi>" in german
    page = await eva.get("/campaigns/new")
    assert '<option value="plan">' in page and '<option value="first_name">' in page


async def test_what_stands_against_it_is_in_one_place(service: Service, eva: Person) -> None:
    wrong = FORM | {"name": "", "link": "shop.example", "body": "{{ customer.nickname }}"}
    checks = plain((await eva.post("/campaigns/preview", wrong)).text)
    assert '<a href="#f-link">Opens</a> must be an address with a scheme' in checks
    mended = wrong | {"link": "https://shop.example"}
    checks = plain((await eva.post("/campaigns/preview", mended)).text)
    assert "Stops it" not in checks
    assert '<a href="#f-body">Text</a> names customer.nickname, a trait that nobody' in checks


async def test_a_test_is_told_for_each_device_and_authors_only_let_it_be_checked(
    service: Service, eva: Person
) -> None:
    nobody = plain((await eva.post("/campaigns/test", FORM | {"test": "1"})).text)
    assert "save the audience test-people" in nobody
    await service.world.devices("ok-1", user="ada")
    sent = plain((await eva.post("/campaigns/test", FORM | {"test_to": "ada", "test": "1"})).text)
    assert "Sent, and this became of it:" in sent
    token = await signed_in(service, Role.AUTHOR)
    async with browser(service, token) as client:
        author = Person(client, token)
        page = await author.post("/campaigns/test", FORM | {"test_to": "ada", "test": "1"})
        assert "Nothing was sent; FCM has checked it:" in plain(page.text)
        assert ">Send a test<" not in page.text
