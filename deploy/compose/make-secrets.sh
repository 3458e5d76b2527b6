#!/bin/sh
# Makes the secrets of compose.yaml, once: one that is there is kept. The directory is for its owner
# alone; the files in it are read by the users of the containers.
set -eu
cd "$(dirname "$0")"
umask 077
mkdir -p secrets
make() { [ -s "secrets/$1" ] || printf %s "$2" > "secrets/$1"; chmod 644 "secrets/$1"; }
make postgres_password "$(head -c 24 /dev/urandom | base64 | tr '+/' '-_')"
make secret_key "$(head -c 32 /dev/urandom | base64)"
make database_url "postgresql://clarion:$(cat secrets/postgres_password)@postgres/clarion"
