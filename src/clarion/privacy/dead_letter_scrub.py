"""A job that was put aside, without what is in it of somebody who was erased. Pure."""

from uuid import UUID

import msgspec

from clarion.customers.identity.person import Person, PiiMatcher
from clarion.customers.suppression import judge
from clarion.events.envelope import Item, Parcel, decode, encode, open_parcel
from clarion.ingest_log.rejection import RejectedEvent


def without(payload: bytes, workspace_id: UUID, person: Person) -> bytes | None:
    """An events job without what is the person's; None: nothing in it is. One that nobody can read
    any more is emptied where it tells of them."""
    signs = PiiMatcher(person)
    try:
        before = decode(payload)
    except msgspec.DecodeError:
        return encode([]) if signs.are_in(payload.decode(errors="replace")) else None
    after = [
        _without(parcel, person, signs) if parcel.workspace_id == workspace_id else parcel
        for parcel in before
    ]
    if after == before:
        return None
    return encode([parcel for parcel in after if parcel.items or parcel.refusals])


def _without(parcel: Parcel, person: Person, signs: PiiMatcher) -> Parcel:
    is_about_them = signs.are_in(parcel.context.decode(errors="replace"))
    return msgspec.structs.replace(
        parcel,
        context=b"" if is_about_them else parcel.context,
        items=[item for item in parcel.items if not _is_theirs(parcel, item, person, signs)],
        refusals=[refusal for refusal in parcel.refusals if not signs.are_in(_told(refusal))],
    )


def _told(refusal: RejectedEvent) -> str:
    hint = refusal.hint
    texts = (refusal.message_id, refusal.message, refusal.excerpt, hint.name, hint.user_id)
    return " ".join(str(text) for text in (*texts, hint.anonymous_id))


def _is_theirs(parcel: Parcel, item: Item, person: Person, signs: PiiMatcher) -> bool:
    events, refusals = open_parcel(msgspec.structs.replace(parcel, items=[item], refusals=[]))
    if refusals:
        return signs.are_in(item.raw.decode(errors="replace"))
    return any(judge(event, person.ids).is_dropped for event in events)
