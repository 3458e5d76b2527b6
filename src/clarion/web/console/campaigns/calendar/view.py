"""`/console/campaigns/calendar`: a month or a week of launches, past and to come."""

from litestar import Response, get

from clarion.campaigns.timing.calendar_queries import list_calendar
from clarion.web.console.campaigns.calendar.month import (
    bounds,
    first_day,
    first_of_week,
    month_of,
    week_bounds,
    week_of,
)
from clarion.web.console.page import Person


@get("/console/campaigns/calendar")
async def show_calendar(me: Person) -> Response[str]:
    """`month` stands in the URL, 2026-12, or `week`, which is any of its days."""
    today = me.now.astimezone(me.place.zone).date()
    is_week = bool(me.asked("week"))
    if is_week:
        first = first_of_week(me.asked("week"), today, me.place.locale)
        begin, end = week_bounds(first, me.place.zone.key)
    else:
        first = first_day(me.asked("month"), today)
        begin, end = bounds(first, me.place.locale, me.place.zone.key)
    calendar = await me.ask(list_calendar, begin=begin, end=end)
    period_of = week_of if is_week else month_of
    return me.page(
        "campaigns/calendar/page.html",
        is_week=is_week,
        period=period_of(first, calendar.entries, me.place, today),
        entries=calendar.entries,
        is_whole=calendar.is_whole,
        today=today,
        zone=me.place.zone.key,
    )


ROUTES = [show_calendar]
