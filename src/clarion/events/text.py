"""Which texts can be kept: what UTF-8 can hold, without NUL, which PostgreSQL can not. Pure."""


def is_storable(text: str) -> bool:
    """Whether both databases can hold `text`."""
    if "\x00" in text:
        return False
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return False
    return True
