"""One test over many files: thousands of tests of a line each cost more than what they look at."""

from collections.abc import Callable, Iterable
from pathlib import Path

from support.pages import name_of


def of_each(
    *files: Iterable[Path],
) -> Callable[[Callable[[Path], None]], Callable[[], None]]:
    """Make a test of a check of one file; it names every file that fails, and why."""
    paths = [path for group in files for path in group]

    def decorate(check: Callable[[Path], None]) -> Callable[[], None]:
        def test() -> None:
            assert paths, "there is nothing to look at"
            faults = []
            for path in paths:
                try:
                    check(path)
                except AssertionError as fault:
                    faults.append(f"{name_of(path)}: {fault}")
            assert not faults, "\n".join(faults)

        test.__name__, test.__doc__, test.__module__ = (
            check.__name__,
            check.__doc__,
            check.__module__,
        )
        return test

    return decorate
