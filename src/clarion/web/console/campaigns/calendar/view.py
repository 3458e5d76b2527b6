"""`/console/campaigns/calendar`: a month of launches, past and to come."""

from litestar import Response, get

from clarion.campaigns.timing.calendar_queries import list_calendar
from clarion.web.console.campaigns.calendar.month import bounds, first_day, month_of
from clarion.web.console.page import Person


@get("/console/campaigns/calendar")
async def show_calendar(me: Person) -> Response[str]:
    """`month` stands in the URL: 2026-12."""
    today = me.now.astimezone(me.place.zone).date()
    first = first_day(me.asked("month"), today)
    begin, end = bounds(first, me.place.locale, me.place.zone.key)
    calendar = await me.ask(list_calendar, begin=begin, end=end)
    return me.page(
        "campaigns/calendar/page.html",
        month=month_of(first, calendar.entries, me.place, today),
        entries=calendar.entries,
        is_whole=calendar.is_whole,
        today=today,
        is_this_month=first == today.replace(day=1),
        zone=me.place.zone.key,
    )


ROUTES = [show_calendar]
