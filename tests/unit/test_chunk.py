"""A chunk holds exactly the deliveries that were planned for it, in 33 bytes each."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from clarion.customers.devices.device import Platform
from clarion.deliveries.planning.chunk import Member, member_columns, pack, unpack

members = st.lists(
    st.builds(Member, st.uuids(), st.uuids(), st.sampled_from([one.value for one in Platform])),
    max_size=20,
    unique_by=lambda member: member.device_id,
)


@given(members)
def test_what_is_packed_is_unpacked_as_it_was(planned: list[Member]) -> None:
    packed = pack(planned)
    assert len(packed) == 33 * len(planned)
    assert unpack(packed) == planned
    assert all(isinstance(member.device_id, UUID) for member in unpack(packed))


@given(members)
def test_a_row_tells_the_range_of_its_members(planned: list[Member]) -> None:
    ordered = sorted(planned, key=lambda member: member.device_id)
    columns = member_columns(ordered)
    ids = [member.device_id for member in ordered]
    assert (columns["first_device_id"], columns["last_device_id"]) == (
        (min(ids), max(ids)) if ids else (None, None)
    )
    assert unpack(columns["members"]) == ordered


def test_a_chunk_without_members_holds_none() -> None:
    assert unpack(None) == unpack(b"") == []
    assert member_columns(()) == {
        "members": None, "first_device_id": None, "last_device_id": None,
    }  # fmt: skip
