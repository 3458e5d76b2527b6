"""How often a password may be tried. Every try is counted before it is looked at; one that is
good is taken back. Pure.

Three counts, since each alone is got round: many passwords for one account from one place; for one
account from many places; for many accounts from one place. The first is small, so that a stranger
who guesses locks out nobody but those at their own address. Whether the account exists does not
matter to any of them.
"""

from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

WINDOW = timedelta(minutes=15)
"""Counted from the first try; then it begins anew."""
TRIES_OF_ACCOUNT_AT_ADDRESS = 10
TRIES_OF_ACCOUNT = 100
TRIES_AT_ADDRESS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """A counter of tries. `key` is a hash, so that the table does not show who tried to sign in."""

    key: str
    limit: int
    is_of_account: bool
    """Forgotten once the account's owner signs in."""


def counts_of(account: str, address: str | None) -> list[Count]:
    """What a try is counted in, in one order for everybody, so that no two tries deadlock."""
    counts = [_count(f"account {account}", TRIES_OF_ACCOUNT, is_of_account=True)]
    if address is not None:
        both = f"account {account} at {address}"
        counts += [
            _count(both, TRIES_OF_ACCOUNT_AT_ADDRESS, is_of_account=True),
            _count(f"address {address}", TRIES_AT_ADDRESS, is_of_account=False),
        ]
    return sorted(counts, key=lambda count: count.key)


def _count(text: str, limit: int, *, is_of_account: bool) -> Count:
    return Count(key=sha256(text.encode()).hexdigest(), limit=limit, is_of_account=is_of_account)
