#!/bin/sh
# Starts a local DynamoDB with the flag tables, for `aws dynamodb …` and for programs that want the real protocol:
#
#     ./scripts/start-local-aws.sh [--port 8000] [--data-dir data/local-aws]
#     ./scripts/start-local-aws.sh --stop [--data-dir data/local-aws]
#
# It is `flag-server dynamodb` in the background, on 127.0.0.1, with the tables feature-flags-dev,
# feature-flags-local and feature-flags-prod (config/flag-table.json). What is missing is installed and built first.
# Started twice, it says that it is running. The data stays when it is stopped; its log is server.log beside it.
#
# It may have the directory of a local server, which is stopped meanwhile (--data-dir data/local): each serves what the
# other has left. Both at once are one process: flag-server serve --dynamodb-port 8000.
set -eu
cd "$(dirname "$0")/.."

# What --stop needs beside it to mean this server is in place.
port=8000 data=data/local-aws place="" stop=no
while [ $# -gt 0 ]; do
    case "$1" in
        --port) port="${2:?--port needs a number}"; shift ;;
        --data-dir) data="${2:?--data-dir needs a directory}" place=" --data-dir $2"; shift ;;
        --stop) stop=yes ;;
        -h | --help) sed -n '2,/^set/s/^# \{0,1\}//p' "$0" | sed '/^set/d'; exit 0 ;;
        *) echo "There is no option $1; see --help." >&2; exit 64 ;;
    esac
    shift
done
binary="${TESTED_FLAG_SERVER:-.build/release/flag-server}"
# What the server listens on, its process, its log.
address_file="$data/address" process_file="$data/process" log="$data/server.log"

# The server's process, if it runs. A number alone may have become another program's: its command line is looked at as
# well, but not the program's name, which may be any (TESTED_FLAG_SERVER).
running() {
    [ -r "$process_file" ] || return 1
    process=$(cat "$process_file")
    [ -n "$process" ] && tr '\0' ' ' 2>/dev/null <"/proc/$process/cmdline" | grep -q ' dynamodb --host 127.0.0.1 '
}

if [ $stop = yes ]; then
    if ! running; then
        echo "No local DynamoDB runs on $data."
        exit 0
    fi
    kill -TERM "$process"
    tries=0
    while [ -d "/proc/$process" ] && [ "$(cut -d ' ' -f 3 "/proc/$process/stat" 2>/dev/null)" != Z ]; do
        tries=$((tries + 1))
        [ $tries -lt 300 ] || { echo "Process $process does not end; see $log." >&2; exit 1; }
        sleep 0.1
    done
    rm -f "$process_file" "$address_file"
    echo "Stopped. The data is in $data."
    exit 0
fi

if running; then
    echo "The local DynamoDB is running already, on $(cat "$address_file") (process $process, data in $data)."
    exit 0
fi

if [ -z "${TESTED_FLAG_SERVER:-}" ]; then
    if ! command -v swift >/dev/null 2>&1; then
        echo "Swift is missing: https://www.swift.org/install has it, version 6.3 or later." >&2
        exit 1
    fi
    ./scripts/install-packages --to-build curl
    ./scripts/build --product flag-server >&2
else
    ./scripts/install-packages curl
fi

# Asks the server for an operation of DynamoDB; the answer's body goes to standard output.
ask() {
    curl --silent --show-error --max-time 30 "$address/" -H "X-Amz-Target: DynamoDB_20120810.$1" \
        -H 'Content-Type: application/x-amz-json-1.0' --data-binary "$2"
}

address="http://127.0.0.1:$port"
if curl --silent --output /dev/null --max-time 2 "$address/"; then
    echo "Port $port is taken by something that this script did not start: stop that, or choose another: --port." >&2
    exit 1
fi
mkdir -p "$data"
: >"$log"
nohup "$binary" dynamodb --host 127.0.0.1 --port "$port" --data-dir "$data" </dev/null >>"$log" 2>&1 &
process=$!
echo "$process" >"$process_file"
echo "$address" >"$address_file"

tries=0
until ask ListTables '{}' 2>/dev/null | grep -q TableNames; do
    tries=$((tries + 1))
    if [ $tries -ge 300 ] || ! running; then
        echo "The server did not start. What it wrote:" >&2
        tail -n 20 "$log" >&2
        grep -q 'is in use' "$log" &&
            echo "Stop the other one first, or have it open the port itself: serve --dynamodb-port $port." >&2
        kill -TERM "$process" 2>/dev/null || true
        rm -f "$process_file" "$address_file"
        exit 1
    fi
    sleep 0.1
done

for table in feature-flags-dev feature-flags-local feature-flags-prod; do
    ask DescribeTable "{\"TableName\":\"$table\"}" | grep -q '"Table"' && continue
    answer=$(ask CreateTable "{\"TableName\":\"$table\",$(sed '1s/^{//' config/flag-table.json)")
    case "$answer" in
        *TableDescription*) ;;
        *) echo "The table $table could not be created: $answer" >&2; exit 1 ;;
    esac
done

cat <<END
A local DynamoDB with the tables feature-flags-dev, feature-flags-local and feature-flags-prod is on $address
(process $process, data in $data, log in $log). For the aws command:

    export AWS_ENDPOINT_URL_DYNAMODB=$address AWS_DEFAULT_REGION=us-east-1
    export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local

Stop it with ./scripts/start-local-aws.sh --stop$place
END
