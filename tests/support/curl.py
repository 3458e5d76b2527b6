"""A `curl` for machines that have none: libcurl with the few options that our pages use."""

import sys
from argparse import ArgumentParser

import pycurl


def main() -> int:
    parser = ArgumentParser()
    parser.add_argument("url")
    for short, long in (("-u", "--user"), ("-d", "--data"), ("-X", "--request")):
        parser.add_argument(short, long)
    parser.add_argument("-H", "--header", action="append", default=[])
    parser.add_argument("--cacert")
    for flag in ("-s", "-S", "-f"):
        parser.add_argument(flag, action="store_true")
    wanted = parser.parse_args()
    curl = pycurl.Curl()
    curl.setopt(pycurl.URL, wanted.url)
    curl.setopt(pycurl.HTTPHEADER, wanted.header)
    for option, value in (
        (pycurl.USERPWD, wanted.user),
        (pycurl.POSTFIELDS, wanted.data),
        (pycurl.CUSTOMREQUEST, wanted.request),
        (pycurl.CAINFO, wanted.cacert),
    ):
        if value is not None:
            curl.setopt(option, value)
    curl.setopt(pycurl.WRITEFUNCTION, sys.stdout.buffer.write)
    curl.setopt(pycurl.FAILONERROR, wanted.f)
    try:
        curl.perform()
    except pycurl.error as error:
        print(f"curl: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
