"""Emoji that pushes are written with, by what one looks for; each with its name. The keyboards of
phones and computers have all of them."""

GROUPS: dict[str, tuple[tuple[str, str], ...]] = {
    "Faces": (
        ("😀", "grinning face"), ("😊", "smiling face"),
        ("😍", "heart eyes"), ("🤩", "star eyes"),
        ("😎", "sunglasses"), ("🥳", "partying face"),
        ("😉", "wink"), ("😂", "tears of joy"),
        ("🤔", "thinking face"), ("😴", "sleeping face"),
        ("🥺", "pleading face"), ("🤗", "hug"),
    ),
    "Hands and hearts": (
        ("👋", "waving hand"), ("👍", "thumbs up"),
        ("👏", "clapping hands"), ("🙌", "raised hands"),
        ("🙏", "folded hands"), ("💪", "strong arm"),
        ("👉", "pointing right"), ("👇", "pointing down"),
        ("❤️", "red heart"), ("💚", "green heart"),
        ("💙", "blue heart"), ("💯", "hundred points"),
    ),
    "To celebrate": (
        ("🎉", "party popper"), ("🎊", "confetti ball"),
        ("🎁", "present"), ("🎂", "birthday cake"),
        ("🎈", "balloon"), ("🏆", "trophy"),
        ("🥇", "gold medal"), ("✨", "sparkles"),
        ("🔥", "fire"), ("⭐", "star"),
        ("🚀", "rocket"), ("🎄", "Christmas tree"),
    ),
    "To buy and to know": (
        ("🛒", "shopping cart"), ("🛍️", "shopping bags"),
        ("💸", "money with wings"), ("🏷️", "price tag"),
        ("💳", "credit card"), ("📦", "parcel"),
        ("🚚", "delivery truck"), ("⏰", "alarm clock"),
        ("⏳", "hourglass"), ("📅", "calendar"),
        ("📍", "place"), ("🔔", "bell"),
        ("📣", "megaphone"), ("💬", "speech bubble"),
        ("✅", "check mark"), ("⚠️", "warning"),
    ),
    "Round the year": (
        ("🌷", "tulip"), ("🌞", "sun"),
        ("🏖️", "beach"), ("🍂", "fallen leaves"),
        ("🎃", "pumpkin"), ("❄️", "snowflake"),
        ("🌈", "rainbow"), ("🌍", "globe"),
        ("☕", "coffee"), ("🍕", "pizza"),
        ("⚽", "football"), ("✈️", "aeroplane"),
    ),
}  # fmt: skip
