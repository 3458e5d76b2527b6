"""What an event is called where one word must do: Intilery's event action. Pure.

`Email Opened` is `email_opened`; what is no track event is called by its type.
"""


def action_of(type_: str, name: str | None) -> str:
    """The action of an event of that type and name."""
    return type_ if type_ != "track" or name is None else as_action(name)


def as_action(name: str) -> str:
    """A name in small letters, with underscores. `action_store` says the same in SQL."""
    return name.replace(" ", "_").replace("-", "_").lower()
